"""How fast a packing process may go, and how far it has come: a board in memory that it shares
with its export worker.

Every place on the board has two writers and no lock: the process that packs says how much it has
moved, the worker says how much it may have moved. A process that is killed holds up nobody."""

import ctypes
import math
import time
from collections.abc import MutableSequence
from dataclasses import dataclass
from multiprocessing import get_context
from secrets import token_hex
from typing import Any

PLACES = 64
_OBJECTS, _BYTES, _GRANTED, _STOP, _WAITED, _WIDTH = range(6)
_LOOK_EVERY = 0.005  # seconds
_KNOWN: dict[str, MutableSequence[float]] = {}  # the boards of this process, by name


class Stopped(Exception):
    """The export was paused or has ended: nothing of this attempt is to be made visible."""


@dataclass(frozen=True, slots=True)
class Board:
    """The shared memory; handed to a process when it is made, and to no other way."""

    name: str
    cells: MutableSequence[float]


def board() -> Board:
    """A new board, known in this process."""
    cells: Any = get_context("spawn").RawArray(ctypes.c_double, PLACES * _WIDTH)
    made = Board(token_hex(8), cells)
    join(made)
    return made


def join(known: Board) -> None:
    """Makes a board known in this process."""
    _KNOWN[known.name] = known.cells


@dataclass(frozen=True, slots=True)
class Pace:
    """One job's place on a board: called with (objects, bytes) as they pass, by whoever packs."""

    board: str
    place: int

    def __call__(self, objects: int, size: int) -> None:
        """Says how far the job has come, and waits while it is ahead of what it was granted.
        Raises Stopped."""
        cells, at = _KNOWN[self.board], self.place * _WIDTH
        cells[at + _OBJECTS], cells[at + _BYTES] = objects, size
        while True:
            if cells[at + _STOP]:
                raise Stopped
            if size <= cells[at + _GRANTED]:
                return
            cells[at + _WAITED] = 1.0
            time.sleep(_LOOK_EVERY)

    # What the worker does:

    def begin(self, granted: float = math.inf) -> None:
        """A new job takes the place."""
        cells, at = _KNOWN[self.board], self.place * _WIDTH
        cells[at : at + _WIDTH] = [0.0, 0.0, granted, 0.0, 0.0]

    @property
    def moved(self) -> tuple[int, int]:
        """Objects and bytes that have passed."""
        cells, at = _KNOWN[self.board], self.place * _WIDTH
        return int(cells[at + _OBJECTS]), int(cells[at + _BYTES])

    @property
    def granted(self) -> float:
        """How many bytes may have passed."""
        return _KNOWN[self.board][self.place * _WIDTH + _GRANTED]

    def grant(self, granted: float) -> None:
        """So many bytes may have passed from now on."""
        _KNOWN[self.board][self.place * _WIDTH + _GRANTED] = granted

    def stop(self) -> None:
        """The job ends within moments."""
        _KNOWN[self.board][self.place * _WIDTH + _STOP] = 1.0

    def waited(self) -> bool:
        """True if it had to wait since this was asked last."""
        cells, at = _KNOWN[self.board], self.place * _WIDTH
        waited, cells[at + _WAITED] = bool(cells[at + _WAITED]), 0.0
        return waited
