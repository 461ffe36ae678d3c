"""Where an export is made before anything of it may leave: beside the delivered packages, so that
delivery is a rename. Every attempt at a shard has a folder of its own, which nobody else writes;
only what the database recorded as committed is put together into a package.

Where a folder cannot be written to, everything here raises DestinationFailed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sharing.export.destination import writing_to
from sharing.export.suspects import Watch

STAGING = ".staging"


class Staging:
    """The folders of one export under the delivery root."""

    def __init__(self, root: Path, export_id: str) -> None:
        self.folder = root / STAGING / export_id

    def attempt(self, shard: int, fence: int) -> Path:
        """The folder of one attempt at a shard, made."""
        return _made(self.folder / f"shard-{shard:05}.{fence}")

    def watch(self, shard: int, fence: int, seconds: float) -> Watch:
        """How this attempt at a shard is watched, beside what earlier ones left."""
        marks = (self.folder / f"shard-{shard:05}.{earlier}.mark" for earlier in range(1, fence))
        mark = _made(self.folder) / f"shard-{shard:05}.{fence}.mark"
        return Watch(mark, tuple(mark for mark in marks if mark.exists()), seconds)

    def package(self, fence: int) -> Path:
        """The folder in which one attempt at a release puts the package together, made empty."""
        folder = self.folder / f"package.{fence}"
        shutil.rmtree(folder, ignore_errors=True)
        return _made(folder)

    def gather(self, attempt: Path, package: Path, files: Iterable[str]) -> None:
        """Links a committed shard's files into a package; the attempt stays for another try."""
        with writing_to(package):
            for name in files:
                target = package / name
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(attempt / name, target)
                except OSError:  # a file system without hard links
                    shutil.copy2(attempt / name, target)


def _made(folder: Path) -> Path:
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
