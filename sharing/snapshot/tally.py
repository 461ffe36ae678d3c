"""What is counted while a scope is decided: the covered objects, broken down."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sharing.records.ledger import NEVER
from sharing.snapshot.columns import Numbers, Places, Whole
from sharing.snapshot.statements import Statements

DAY = 86_400_000_000
NOWHERE_NAMED = "unknown"
Counts = npt.NDArray[np.int64]


@dataclass(slots=True)
class Tally:
    """Counts of the covered objects by statement, by jurisdiction (its place in the list plus
    one), and by day of consent, from `first_day` (since 1970) on; `until` is when the first of the
    consents runs out."""

    by_statement: Counts
    by_home: Counts
    by_day: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    first_day: int = 0
    until: int = NEVER

    def add(
        self, what: Places, home: Places, at: Whole, until: Whole, held: Numbers | None
    ) -> None:
        """Counts covered subjects, each with as many objects as `held`, one where it is None."""
        if not len(what):
            return
        self.by_statement += _counted(what, held, len(self.by_statement))
        self.by_home += _counted(home, held, len(self.by_home))
        days = at // DAY
        first = int(days.min())
        self._add_days(first, _counted(days - first, held, 0))
        self.until = min(self.until, int(until.min()))

    def _add_days(self, first: int, counts: Counts) -> None:
        if not len(self.by_day):
            self.first_day = first
        before = max(self.first_day - first, 0)
        behind = max(first + len(counts) - self.first_day - len(self.by_day), 0)
        if before or behind:
            self.by_day = np.pad(self.by_day, (before, behind))
            self.first_day -= before
        start = first - self.first_day
        self.by_day[start : start + len(counts)] += counts

    def breakdown(self, statements: Statements) -> dict[str, dict[str, int]]:
        """The counts by notice version, by jurisdiction and by month of consent, in order."""
        notices, homes, months = Counter[str](), Counter[str](), Counter[str]()
        for number in np.flatnonzero(self.by_statement).tolist():
            said = statements.events[number]
            notices[f"{said.notice} {said.notice_version}"] += int(self.by_statement[number])
        for place in np.flatnonzero(self.by_home).tolist():
            name = statements.jurisdictions[place - 1] if place else NOWHERE_NAMED
            homes[name] += int(self.by_home[place])
        for month, count in _by_month(self.first_day, self.by_day):
            months[month] = count
        counted = {"notice": notices, "jurisdiction": homes, "month": months}
        return {kind: dict(sorted(counter.items())) for kind, counter in counted.items()}


def _counted(places: Places, held: Numbers | None, length: int) -> Counts:
    # Sums of whole numbers as floats are exact up to 2**53 objects.
    return np.bincount(places, held, length).astype(np.int64)


def _by_month(first: int, by_day: Counts) -> Iterator[tuple[str, int]]:
    """Counts of days in a row, from day `first` since 1970 on, by month: those above 0."""
    if not len(by_day):
        return
    months = np.arange(first, first + len(by_day)).astype("M8[D]").astype("M8[M]")
    places = months.astype(np.int64) - months[0].astype(np.int64)
    counts = np.bincount(places, by_day).astype(np.int64)
    for place in np.flatnonzero(counts):
        yield str(months[0] + place), int(counts[place])


def of_each(codes: npt.NDArray[np.uint8], length: int) -> Counts:
    """How often each number below `length` occurs. Two are counted at once, as one number of
    twice the width."""
    pairs = len(codes) // 2
    together = np.bincount(codes[: 2 * pairs].view(np.uint16), minlength=length << 8)
    table = together[: length << 8].reshape(length, 256)
    counts: Counts = table.sum(axis=1) + table[:, :length].sum(axis=0)
    counts[codes[2 * pairs :]] += 1
    return counts
