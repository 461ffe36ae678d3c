"""Writing where a full disk, a read-only folder or a crash must leave nothing half done."""

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_SYNCS_AT_ONCE = 8
_READ_ONLY = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))


class DestinationFailed(Exception):
    """Writing failed; nothing of this attempt is visible. `code` is one of destination_full,
    destination_read_only, destination_failed, superseded; the text is a sentence with the cure."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)  # both, so that it can be sent from process to process
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turns any OSError inside into a DestinationFailed that says what to do about `folder`."""
    try:
        yield
    except OSError as error:
        raise _failure(folder, error) from error


def _failure(folder: Path, error: OSError) -> DestinationFailed:
    if error.errno in _FULL:
        return DestinationFailed(
            "destination_full", f"There is no room left in {folder}: free some space, then retry."
        )
    if error.errno in _READ_ONLY:
        return DestinationFailed(
            "destination_read_only",
            f"{folder} cannot be written to: mount it writable, or give this process the right.",
        )
    return DestinationFailed(
        "destination_failed",
        f"Writing to {folder} failed: {error.strerror or error}. Check that place, then retry.",
    )


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_files(folder: Path) -> None:
    """Puts every file of a folder on the disk, several at once as journals commit in groups."""
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(_sync_file, [entry.path for entry in os.scandir(folder)]))
    sync_folder(folder)


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(file: Path, data: bytes) -> None:
    """A new file with `data`, on the disk when this returns; the name is synced by the caller."""
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def replace_durably(file: Path, data: bytes, work: Path) -> None:
    """Puts `data` at `file` in one step, by way of a temporary file in the folder `work`."""
    work.mkdir(parents=True, exist_ok=True)
    temporary = work / f"{file.name}.{os.getpid()}"
    write_durably(temporary, data)
    temporary.replace(file)
    sync_folder(file.parent)


def erase_tree(folder: Path) -> int:
    """Erases a folder, if it is there; returns how many files it held. Links are not followed."""
    if folder.is_symlink() or not folder.is_dir():
        return 0
    files = sum(len(names) for _, _, names in os.walk(folder))
    shutil.rmtree(folder)
    return files
