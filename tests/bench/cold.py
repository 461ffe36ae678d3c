"""Reading from a cold disk: what looking ahead brings beside reading one file after the other."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from sharing.export.source import Candidate, read

AHEAD, IN_ORDER = "Clearance's reading, cold", "one after the other, cold"


def methods(photos: Path) -> dict[str, Callable[[int], Awaitable[float]]]:
    """Both ways as methods for `rounds.in_turns`: photos a second. The photos lie in the order in
    which they were made; both ask for them in the order of a shard, which is no order at all."""
    wanted = _candidates(photos)

    def ahead() -> None:
        for _ in read(photos, wanted):
            pass

    def in_order() -> None:
        for one in wanted:
            (photos / one.path).read_bytes()

    return {AHEAD: _cold(photos, wanted, ahead), IN_ORDER: _cold(photos, wanted, in_order)}


def _candidates(photos: Path) -> list[Candidate]:
    found = []
    for file in photos.rglob("*.jpg"):
        path, status = file.relative_to(photos).as_posix(), file.stat()
        found.append(Candidate(path, "", status.st_size, status.st_mtime_ns, "image/jpeg", 1))
    return sorted(found, key=lambda one: sha256(one.path.encode()).digest())


def _cold(
    photos: Path, wanted: list[Candidate], reading: Callable[[], None]
) -> Callable[[int], Awaitable[float]]:
    def timed() -> float:
        os.sync()
        for one in wanted:
            _forget(photos / one.path)
        begin = time.perf_counter()
        reading()
        return len(wanted) / (time.perf_counter() - begin)

    async def method(_: int) -> float:
        return await asyncio.to_thread(timed)

    return method


def _forget(file: Path) -> None:
    """Takes a file out of the page cache."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
