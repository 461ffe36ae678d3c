"""Cuts a scope into shards, once: the same scope and the same bounds always give the same shards.

By objects and by bytes, for what a shard costs to make again is both. Sizes come page by page, so
a hundred million objects take the memory of one page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Page = tuple[Whole, Whole]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a shard holds. An object of more bytes than that is a shard of its own."""

    objects: int
    bytes: int

    def evenly(self, objects: int) -> "Bounds":
        """The same for a scope of so many objects in as many shards of like size, so that the last
        of them is no scrap, and no process packs alone for long at the end."""
        shards = max(1, ceil(objects / self.objects))
        return Bounds(max(1, ceil(objects / shards)), self.bytes)


@dataclass(frozen=True, slots=True)
class Piece:
    """A shard to be: its first and last index position, how many objects of the scope lie between
    them, and their bytes as they were indexed."""

    first: int
    last: int
    objects: int
    bytes: int


def cut(pages: Iterable[Page], bounds: Bounds) -> Iterator[Piece]:
    """The shards of a scope that comes as (index positions, bytes), page by page in index order."""
    held: Page = (np.empty(0, np.int64), np.empty(0, np.int64))
    for positions, sizes in pages:
        held = np.concatenate((held[0], positions)), np.concatenate((held[1], sizes))
        begun = 0
        for begun, end in _ends(held[1], bounds):
            if end == len(held[1]):
                break  # the next page may still have something to add to it
            yield _piece(held, begun, end)
        held = held[0][begun:], held[1][begun:]
    if len(held[0]):
        yield _piece(held, 0, len(held[0]))


def _ends(sizes: Whole, bounds: Bounds) -> Iterator[tuple[int, int]]:
    """Where each shard begins and ends. It is full where the next object would be too many, or too
    large; the first one always has a place."""
    upto = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    begin = 0
    while begin < len(sizes):
        fits = int(np.searchsorted(upto, upto[begin] + bounds.bytes, side="right")) - 1
        end = min(max(fits, begin + 1), begin + bounds.objects, len(sizes))
        yield begin, end
        begin = end


def _piece(held: Page, begin: int, end: int) -> Piece:
    positions, sizes = held
    return Piece(
        int(positions[begin]),
        int(positions[end - 1]),
        end - begin,
        int(sizes[begin:end].sum()),
    )
