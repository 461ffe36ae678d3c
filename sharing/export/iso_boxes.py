"""The boxes that HEIC files are made of (ISO/IEC 14496-12): reading them, field by field, and
writing them."""

from collections.abc import Iterator
from typing import NamedTuple

from sharing.export.unreadable import Unreadable


class Box(NamedTuple):
    """A box by its type; its body lies from `start` to `end`, in bytes from the file's begin."""

    kind: bytes
    start: int
    end: int


def boxes(view: memoryview, start: int, end: int) -> Iterator[Box]:
    """The boxes from `start` to `end`, which leave no gap; raises Unreadable for a broken one."""
    while start < end:
        found = box_at(view, start, end)
        yield found
        start = found.end


def box_at(view: memoryview, start: int, end: int) -> Box:
    """The box at `start`, which must fit before `end`."""
    size, body = int.from_bytes(view[start : start + 4], "big"), start + 8
    if size == 1:
        size, body = int.from_bytes(view[start + 8 : start + 16], "big"), start + 16
    elif size == 0:
        size = end - start  # the last one of a file may leave its size open
    if body > end or size < body - start or start + size > end:
        raise Unreadable(f"This file is cut off, or broken, in the box at byte {start}.")
    return Box(bytes(view[start + 4 : start + 8]), body, start + size)


class Fields:
    """Reads numbers and texts one after the other; raises Unreadable where there are no more."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes; of none, 0."""
        return int.from_bytes(self.bytes(size), "big")

    def bytes(self, size: int) -> memoryview:
        """The next `size` bytes."""
        self._at += size
        if self._at > len(self._view):
            raise Unreadable("This file is cut off, or broken, in a list of what is in it.")
        return self._view[self._at - size : self._at]

    def version(self) -> tuple[int, int]:
        """(version, flags) that many boxes begin with."""
        return self.number(1), self.number(3)

    @property
    def left(self) -> int:
        """How many bytes were not read yet."""
        return len(self._view) - self._at


def written(kind: bytes, *parts: bytes) -> bytes:
    """A whole box."""
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def versioned(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A whole box that begins with its version and flags."""
    return written(kind, bytes((version,)) + flags.to_bytes(3, "big"), *parts)
