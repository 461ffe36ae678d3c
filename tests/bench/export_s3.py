"""Bench `export`, from S3 to S3: photos and packages on one real S3 server on this machine.

Clearance reads each photo, strips it, and puts whole shards. rclone and s5cmd, as they come, have
the server copy each photo by itself, and spare themselves the bytes; a script with boto3 that
looks at the bytes gets and puts them. How rclone and boto3 do it the other way is measured too."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyrage

from api.parts import CONTROL, EXPORT
from sharing.export.bucket import Bucket
from tests.bench.cast import cast
from tests.bench.copiers import flushed, program, run_program
from tests.bench.report import PeerMissing
from tests.bench.rounds import Rates, in_turns
from tests.bench.running import clearance, python
from tests.s3.server import S3Server, s3_server

OURS, RCLONE, RCLONE_THROUGH, S5CMD, BOTO3, BOTO3_THERE = (
    "Clearance, S3",
    "rclone copy, S3",
    "rclone, through it",
    "s5cmd cp, S3",
    "boto3, through it",
    "boto3, copied there",
)
PHOTOS, PACKAGES = Bucket("s3://photos", "all"), Bucket("s3://delivery", "packages")
PUTS_AT_ONCE = 16


async def s3_rates(folder: Path, count: int, rounds: int) -> Rates:
    """Photos a second of each, in turns, from and to the same server."""
    from tests.bench.export import Exports

    with _server() as server:
        await asyncio.to_thread(_filled, folder)
        peers = _peers(server, count)
        age = str(pyrage.x25519.Identity.generate().to_public())
        places = {"store_url": str(PHOTOS), "delivery_url": str(PACKAGES)}
        async with clearance(CONTROL, EXPORT, **places) as running:
            people = await cast(running.database, running.settings, PHOTOS, age)
            ours = Exports(running, people, folder, count).method(
                people.plain_partner, "webdataset"
            )
            await ours(0)  # the worker's first is slow
            return await in_turns({OURS: ours, **peers}, rounds)


@contextmanager
def _server() -> Iterator[S3Server]:
    """A server of the bench's own, and this process set up to use it."""
    home = Path(tempfile.mkdtemp(prefix="clearance-bench-s3-"))
    before = dict(os.environ)
    try:
        with s3_server(home / "weed") as server:
            os.environ.update(server.environ())
            yield server
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


def _filled(folder: Path) -> None:
    store = PHOTOS.store(writing=True)

    def put(file: Path) -> None:
        store.put(PHOTOS.key(file.relative_to(folder).as_posix()), file.read_bytes())

    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        list(pool.map(put, sorted(folder.rglob("*.jpg"))))


def _peers(server: S3Server, count: int) -> dict[str, Callable[[int], Awaitable[float]]]:
    """Each peer as a method: photos a second, to a prefix of its own."""
    rclone, s5cmd = program("rclone"), program("s5cmd")
    _demand_boto3()
    store = ["--config=", "--s3-provider=SeaweedFS", "--s3-env-auth", f"--s3-endpoint={server.url}"]

    def rclone_copy(to: str, *more: str) -> list[str]:
        return [rclone, "copy", *store, *more, f":s3:photos/{PHOTOS.prefix}", f":s3:delivery/{to}"]

    def boto3_copy(how: str, to: str) -> list[str]:
        return [*python("tests.bench.boto3_copy", how, "photos", PHOTOS.prefix, "delivery", to)]

    commands: dict[str, Callable[[str], list[str]]] = {
        RCLONE: rclone_copy,
        RCLONE_THROUGH: lambda to: rclone_copy(to, "--disable=copy"),
        S5CMD: lambda to: [
            *(s5cmd, "--endpoint-url", server.url, "--log=error", "cp"),
            *(f"{PHOTOS}/*", f"s3://delivery/{to}/"),
        ],
        BOTO3: lambda to: boto3_copy("through", to),
        BOTO3_THERE: lambda to: boto3_copy("there", to),
    }
    return {name: _method(name, command, count) for name, command in commands.items()}


def _method(
    name: str, command: Callable[[str], list[str]], count: int
) -> Callable[[int], Awaitable[float]]:
    async def method(number: int) -> float:
        to = f"{number}-{name.replace(' ', '-').replace(',', '')}"
        await flushed()
        seconds = await run_program(command(to))
        copied = await asyncio.to_thread(
            lambda: sum(1 for _ in Bucket("s3://delivery", to).listed())
        )
        if copied != count:
            raise RuntimeError(f"{name} copied {copied} of {count} photos.")
        return count / seconds

    return method


def _demand_boto3() -> None:
    try:
        import boto3  # noqa: F401
    except ImportError:
        raise PeerMissing(
            "boto3 is not installed. It comes with the dev group: run `uv sync`."
        ) from None
