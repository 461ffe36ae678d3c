"""Finds the object that kills whoever packs it: a decoder that crashes on it, or never returns.

An attempt at a shard keeps the name of the object that it has in hand in a file, its mark, which
outlives the process. Where attempts died with the same object in hand often enough, the next one
leaves it out as unreadable, and the shard goes on. An object that takes more processor time than
any should ends its process itself, by a signal that no code can hold up; waiting for a slow store
costs none."""

import os
import signal
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sharing.export.destination import DestinationFailed
from sharing.export.source import SourceFailed

DEATHS = 3  # an operator's kill -9 hits the same object of a shard twice hardly ever, thrice never
DETAIL = f"packing it ended its process {DEATHS} times: have somebody look at the file"
_ROOM = 64  # bytes; an object's name in the package is shorter
# What says nothing about an object: the disks failed, or somebody ended the attempt.
_BLAMELESS = (OSError, DestinationFailed, SourceFailed)


@dataclass(frozen=True, slots=True)
class Watch:
    """Where an attempt keeps its `mark`, the marks that `earlier` attempts at the shard left, and
    for how many `seconds` of processor time an object may be in hand."""

    mark: Path
    earlier: tuple[Path, ...]
    seconds: float


class InHand:
    """The object that is in hand. Without a watch nobody keeps count."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._killers = killers(watch.earlier) if watch else frozenset()
        self._mark = -1

    def __enter__(self) -> "InHand":
        if self._watch:
            self._mark = os.open(self._watch.mark, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._watch:
            return
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        os.close(self._mark)
        if not isinstance(error, Exception) or isinstance(error, _BLAMELESS):
            self._watch.mark.unlink(missing_ok=True)

    def takes(self, name: str) -> bool:
        """Takes an object in hand, by its name in the package; False for one that has killed."""
        if self._watch:
            if name in self._killers:
                return False
            os.pwrite(self._mark, name.encode().ljust(_ROOM), 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, self._watch.seconds)
        return True


def killers(marks: Iterable[Path]) -> frozenset[str]:
    """The objects that were in hand when so many attempts died."""
    names = Counter(_name(mark) for mark in marks)
    return frozenset(name for name, deaths in names.items() if name and deaths >= DEATHS)


def _name(mark: Path) -> str:
    try:
        return mark.read_text().rstrip()
    except OSError:  # an attempt that ended well has just taken its mark away
        return ""
