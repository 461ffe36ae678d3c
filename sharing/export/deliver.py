"""Hands a released package over: the seal goes in, the folder moves to its destination.

Only called once the release is committed. Every step may be repeated: after a crash at any point,
calling it again ends in the same state."""

import errno
import shutil
from pathlib import Path

from sharing.export.destination import (
    DestinationFailed,
    erase_tree,
    replace_durably,
    sync_files,
    sync_folder,
    writing_to,
)
from sharing.export.layout import PARTS, SEAL, WORK


def deliver(staging: Path, destination: Path, envelope: bytes) -> None:
    """Moves the package from `staging` to `destination`, with `envelope` as its seal.

    On one file system that is one rename; otherwise a copy beside the destination, then a rename.
    Raises DestinationFailed, also where another package is already there.
    """
    with writing_to(destination):
        if not _is_there(destination, envelope):
            _complete(staging, envelope)
            destination.parent.mkdir(parents=True, exist_ok=True)
            _move(staging, destination)
            sync_folder(destination.parent)
        erase_tree(staging)
        if staging.parent.is_dir():
            sync_folder(staging.parent)


def _is_there(destination: Path, envelope: bytes) -> bool:
    """True if an earlier call moved it. Another package is never written over."""
    if not destination.is_dir() or not any(destination.iterdir()):
        return False
    sealed = destination / SEAL
    if not sealed.is_file() or sealed.read_bytes() != envelope:
        raise DestinationFailed(
            "destination_failed",
            f"Something else lies at {destination}: move it away, then retry.",
        )
    return True


def _complete(staging: Path, envelope: bytes) -> None:
    if not staging.is_dir():
        raise DestinationFailed(
            "destination_failed",
            f"The package is neither at {staging} nor delivered: export it again.",
        )
    replace_durably(staging / SEAL, envelope, staging / WORK)
    erase_tree(staging / WORK)
    erase_tree(staging / PARTS)
    sync_folder(staging)


def _move(staging: Path, destination: Path) -> None:
    try:
        staging.rename(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        incoming = destination.parent / f".incoming-{destination.name}"
        erase_tree(incoming)
        shutil.copytree(staging, incoming)
        for folder in [incoming, *(path for path in incoming.rglob("*") if path.is_dir())]:
            sync_files(folder)
        incoming.rename(destination)
