"""How far the count of a whole scope has come, told while it goes on."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What is gone through: the dataset's objects are read, then the ledger's events folded.
    Deciding takes a tenth of a second for millions, and is no step of its own."""

    OBJECTS = "objects"
    EVENTS = "events"


Tell = Callable[[Step, int, int], None]  # the step, how much is done, and of how much


def untold(_step: Step, _done: int, _total: int) -> None:
    """Tells nobody."""
