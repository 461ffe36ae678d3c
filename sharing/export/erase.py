"""Erases what was staged and will not be released: cancelled, failed, or withdrawn in time."""

import os
from dataclasses import dataclass
from pathlib import Path

from sharing.export.destination import erase_tree, sync_folder, writing_to


def erase(staging: Path) -> int:
    """Erases the folder and all in it; returns how many files there were, 0 if it was gone.

    Raises DestinationFailed if something could not be erased; calling it again goes on.
    """
    with writing_to(staging):
        files = erase_tree(staging)
        if staging.parent.is_dir():
            sync_folder(staging.parent)
    return files


@dataclass(frozen=True, slots=True)
class Found:
    """What lies somewhere: files, and the bytes in them."""

    files: int
    bytes: int


def found(staging: Path) -> Found:
    """What lies in the folder; links are counted and not followed."""
    files = size = 0
    with writing_to(staging):
        for folder, _, names in os.walk(staging):
            files += len(names)
            size += sum(Path(folder, name).lstat().st_size for name in names)
    return Found(files, size)
