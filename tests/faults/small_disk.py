"""A disk of a few pages, that a test can fill, and make read-only, and cure again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOM = 4 * 1024 * 1024  # bytes; an export that needs more is refused before it begins
HOW = "Needs root on Linux: it mounts a disk of its own (tmpfs), fills it, and makes it read-only."


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A file system of its own under `folder`."""

    folder: Path

    def fill(self) -> None:
        """Leaves no room for anything."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Makes room again."""
        (self.folder / "filler").unlink(missing_ok=True)

    def writable(self, yes: bool) -> None:
        """Makes the whole disk read-only, or writable again."""
        _mount("-o", f"remount,{'rw' if yes else 'ro'}", str(self.folder))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mounted as long as the block lasts; skips the test where that is not allowed."""
    folder.mkdir(parents=True)
    try:
        _mount("-t", "tmpfs", "-o", f"size={ROOM}", "clearance-test", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(HOW)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*arguments: str) -> None:
    if os.geteuid() != 0:
        raise PermissionError(HOW)
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
