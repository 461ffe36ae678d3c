"""A folder for work under way on this machine, that does not outlive who works in it.

What is packed for an object store is made here first. A process that was killed cannot clean up,
so each folder is locked while somebody works in it, and `sweep` erases those that nobody holds."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sharing.export.destination import writing_to

_PREFIX = "clearance-scratch-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder below the system's temporary one, erased when the block is left. Raises
    DestinationFailed where there is no room for it."""
    root = Path(tempfile.gettempdir())
    with writing_to(root):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep() -> None:
    """Erases what processes that were killed left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's, or gone meanwhile
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # in use
        finally:
            os.close(descriptor)
