"""Objects larger than memory, a window at a time.

What is mapped takes no memory until it is looked at, and then it stays: so whoever goes through a
large object does it here, and each window's pages are given back when it is done with."""

import mmap
from collections.abc import Iterable, Iterator

from sharing.export.unreadable import Buffer, Piece

WINDOW = 8 * 1024 * 1024  # bytes

_GIVE_BACK = getattr(mmap, "MADV_DONTNEED", None)


def windows(data: Buffer, start: int, end: int) -> Iterator[memoryview]:
    """The bytes from `start` to `end`, in order; of an object in memory, all at once."""
    view = memoryview(data)[start:end]
    if isinstance(data, bytes):
        yield view
        return
    for at in range(0, len(view), WINDOW):
        yield view[at : at + WINDOW]
        give_back(data)


def give_back(data: Buffer) -> None:
    """Lets go of the memory that a mapped object took; it is read again where it is needed."""
    if _GIVE_BACK is not None and isinstance(data, mmap.mmap):
        data.madvise(_GIVE_BACK)


class InWindows:
    """The pieces of a mapped object, as often as they are asked for, none longer than a window."""

    def __init__(self, data: mmap.mmap, pieces: list[Piece]) -> None:
        self._data, self._pieces = data, pieces

    def __iter__(self) -> Iterator[Piece]:
        seen = 0
        for piece in self._pieces:
            for at in range(0, len(piece), WINDOW):
                part = piece[at : at + WINDOW]
                yield part
                seen += len(part)
                if seen >= WINDOW:
                    give_back(self._data)
                    seen = 0


def in_windows(data: Buffer, pieces: list[Piece]) -> Iterable[Piece]:
    """The pieces to hash and to write: as they are, unless their object is a mapped one."""
    return pieces if isinstance(data, bytes) else InWindows(data, pieces)
