"""Fetching a package over real HTTP: parts, resumed, counted, and by the partner's one command."""

import asyncio
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.commands.receiving import acknowledge, download
from api.commands.telling import Calling
from sharing.keys import public_text, signing_key
from sharing.records import signing_keys
from tests.api.cutting import cutting
from tests.api.served import served
from tests.api.test_canaries import exported
from tests.api.test_exports import code
from tests.api.world import World

LARGE = 48 << 20


async def package(world: World, home: Path) -> tuple[str, Path]:
    """A delivered export, and the folder that it lies in; its seal's key is known."""
    export, folder, plane = await exported(world, home)
    key = public_text(signing_key(plane.settings.signing_key, "CLEARANCE_SIGNING_KEY"))
    await world.database.write(lambda u: signing_keys.register(u.session, "seal", key))
    return export, folder


async def link(http: httpx2.AsyncClient, world: World, export: str, path: str) -> str:
    """A link to one file of a package, at a real server."""
    headers = {"Authorization": f"Bearer {world.tokens['partner']}"}
    answer = await http.get(f"/v1/exports/{export}/package", params={"file": path}, headers=headers)
    assert [file["path"] for file in answer.json()["files"]] == [path]
    return str(answer.json()["files"][0]["url"])


async def sent(world: World, file: str) -> list[dict[str, Any]]:
    """What the log has of a file that was sent, oldest first, once as many ends as beginnings
    are there."""
    for _ in range(100):
        entries = [e for e in await world.audit() if e["detail"].get("file") == file]
        ends = [e["detail"] for e in entries if e["action"] == "package.sent"]
        if len(ends) * 2 == len(entries):
            return ends
        await asyncio.sleep(0.05)
    raise AssertionError(entries)


async def test_parts_of_a_file(here: World, tmp_path: Path) -> None:
    """HEAD tells size and ETag; ranges and If-Range answer as in RFC 9110, and each is counted."""
    export, folder = await package(here, tmp_path)
    data = (folder / "manifest.json").read_bytes()
    async with served(here.app) as http:
        url = await link(http, here, export, "manifest.json")
        head = await http.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(data))
        assert head.headers["accept-ranges"] == "bytes"
        etag = head.headers["etag"]
        for asked, more, status, found in (
            ("bytes=5-9", {}, 206, data[5:10]),
            ("bytes=-7", {}, 206, data[-7:]),
            ("bytes=5-", {"If-Range": etag}, 206, data[5:]),
            ("bytes=5-", {"If-Range": '"another"'}, 200, data),
        ):
            answer = await http.get(url, headers={"Range": asked, **more})
            assert (answer.status_code, answer.content) == (status, found)
        past = await http.get(url, headers={"Range": f"bytes={len(data)}-"})
        assert (past.status_code, past.headers["content-range"]) == (416, f"bytes */{len(data)}")
    told = [(e["bytes"], e["complete"]) for e in await sent(here, "manifest.json")]
    assert told == [(5, True), (7, True), (len(data) - 5, True), (len(data), True), (0, False)]


@pytest.mark.parametrize("asked", ["bytes=5-2", "lines=1-2", "bytes=abc", "bytes=9-2,x"])
async def test_a_range_that_means_nothing_is_passed_over(
    here: World, tmp_path: Path, asked: str
) -> None:
    """A `Range` that is malformed, or in another unit than bytes, gets the whole file."""
    export, folder = await package(here, tmp_path)
    async with served(here.app) as http:
        url = await link(http, here, export, "manifest.json")
        answer = await http.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, (folder / "manifest.json").read_bytes())


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes=-0", "bytes={size}-,{size}-"])
async def test_a_part_behind_the_end_is_a_problem(here: World, tmp_path: Path, asked: str) -> None:
    """A part that the file does not have is 416 as problem+json, with the file's length."""
    export, folder = await package(here, tmp_path)
    size = (folder / "manifest.json").stat().st_size
    async with served(here.app) as http:
        url = await link(http, here, export, "manifest.json")
        answer = await http.get(url, headers={"Range": asked.format(size=size)})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["code"]) == (416, "range_not_satisfiable")
    assert {"type", "title", "detail"} <= set(told)


async def test_curl_goes_on_after_a_cut(here: World, tmp_path: Path) -> None:
    """`curl -C -` fetches only what is missing of a file, and the whole is right."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    export, folder = await package(here, tmp_path)
    data = (folder / "shard-00000.tar").read_bytes()
    got = tmp_path / "got.tar"
    got.write_bytes(data[: len(data) // 3])
    async with served(here.app) as http:
        url = await link(http, here, export, "shard-00000.tar")
        curl = await asyncio.create_subprocess_exec("curl", "-sf", "-C", "-", "-o", str(got), url)
        assert await curl.wait() == 0
    assert got.read_bytes() == data
    ends = await sent(here, "shard-00000.tar")
    assert [e["bytes"] for e in ends] == [len(data) - len(data) // 3]


async def test_a_download_that_broke_off_is_told_as_such(here: World, tmp_path: Path) -> None:
    """Who goes away in the middle leaves an entry with fewer bytes, and `complete` false."""
    export, folder = await package(here, tmp_path)
    (folder / "large.bin").write_bytes(bytes(LARGE))
    async with served(here.app) as http:
        url = await link(http, here, export, "large.bin")
        async with http.stream("GET", url) as answer:
            async for _ in answer.aiter_raw(1 << 16):
                break
        (broken,) = await sent(here, "large.bin")
        assert not broken["complete"]
        assert 0 < broken["bytes"] < LARGE
        whole = await http.get(url)
        assert len(whole.content) == LARGE
    assert [(e["bytes"], e["complete"]) for e in await sent(here, "large.bin")][1:] == [
        (LARGE, True)
    ]


async def test_another_partners_token_opens_nothing(here: World, tmp_path: Path) -> None:
    """A link that somebody else got hold of is 404 with their own token, as is the package."""
    export, _ = await package(here, tmp_path)
    found = await here.get("partner", f"/v1/exports/{export}/package", file="seal.json")
    url = found.json()["files"][0]["url"]
    assert code(await here.get("other", url)) == (404, "not_found", "")
    assert (await here.get("partner", url)).status_code == 200
    listing = await here.get("other", f"/v1/exports/{export}/package")
    assert code(listing) == (404, "not_found", "")


@pytest.mark.parametrize("file", ["nothing.tar", "../x", "/etc/passwd", ""])
async def test_only_files_of_the_package_are_linked(here: World, tmp_path: Path, file: str) -> None:
    """A file that is not in the package gets no link."""
    export, _ = await package(here, tmp_path)
    answer = await here.get("partner", f"/v1/exports/{export}/package", file=file)
    assert code(answer) == (404, "not_found", "")


async def test_one_command_fetches_and_one_acknowledges(
    here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`export download` over a connection that breaks again and again brings every file as sealed;
    started again it fetches nothing; `export acknowledge` then says what came."""
    export, folder = await package(here, tmp_path)
    to = tmp_path / "received"
    async with served(here.app) as http, cutting(str(http.base_url), 9_000) as url:
        calling = Calling(url=url, token=here.tokens["partner"], json=True)
        assert await download(export, to=to, calling=calling) == 0
        assert files(to) == files(folder)
        broken = [e for e in await here.audit() if e["action"] == "package.downloaded"]
        assert any("range" in e["detail"] for e in broken)
        before = len(broken)
        assert await download(export, to=to, calling=calling) == 0
        taken = [e for e in await here.audit() if e["action"] == "package.downloaded"]
        assert [e["detail"]["file"] for e in taken[before:]] == ["seal.json"]
        capsys.readouterr()
        assert await acknowledge(export, package=to, calling=calling) == 0
    said = json.loads(capsys.readouterr().out)
    manifest = sha256((to / "manifest.parquet").read_bytes()).hexdigest()
    assert (said["outcome"], said["manifest_sha256"]) == ("acknowledged", manifest)


async def test_what_is_not_as_sealed_is_not_kept(
    here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A beginning that was another file's is fetched anew; a file that the server has changed is
    refused by its name, and there is nothing at its place. A broken package is not acknowledged."""
    export, folder = await package(here, tmp_path)
    to = tmp_path / "received"
    to.mkdir()
    (to / "shard-00000.tar.part").write_bytes(b"something else")
    async with served(here.app) as http:
        calling = Calling(url=str(http.base_url), token=here.tokens["partner"], json=True)
        assert await download(export, to=to, calling=calling) == 0
        assert files(to) == files(folder)
        (to / "shard-00000.tar").unlink()
        assert await acknowledge(export, package=to, calling=calling) == 1
        with (folder / "shard-00000.tar").open("r+b") as tar:
            tar.write(b"X")
        assert await download(export, to=to, calling=calling) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["code"], "shard-00000.tar" in told["detail"]) == ("package_broken", True)
    assert not list(to.glob("shard-*"))


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
