"""What is counted while a scope is decided: the covered objects, broken down."""

from collections import Counter
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
    one), and by month of consent (since January 1970); `until` is when the first of the consents
    runs out."""

    by_statement: Counts
    by_home: Counts
    by_month: dict[int, int] = field(default_factory=dict)
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
        counts = _counted(days - first, held, 0)
        months = _months(first, len(counts))
        by_month = np.bincount(months - months[0], counts)
        for month in np.flatnonzero(by_month).tolist():
            number = int(months[0]) + month
            self.by_month[number] = self.by_month.get(number, 0) + int(by_month[month])
        self.until = min(self.until, int(until.min()))

    def breakdown(self, statements: Statements) -> dict[str, dict[str, int]]:
        """The counts by notice version, by jurisdiction and by month of consent, in order."""
        notices, homes, months = Counter[str](), Counter[str](), Counter[str]()
        for number in np.flatnonzero(self.by_statement).tolist():
            said = statements.events[number]
            notices[f"{said.notice} {said.notice_version}"] += int(self.by_statement[number])
        for place in np.flatnonzero(self.by_home).tolist():
            name = statements.jurisdictions[place - 1] if place else NOWHERE_NAMED
            homes[name] += int(self.by_home[place])
        for month, count in self.by_month.items():
            months[str(np.datetime64(month, "M"))] += count
        counted = {"notice": notices, "jurisdiction": homes, "month": months}
        return {kind: dict(sorted(counter.items())) for kind, counter in counted.items()}


def _counted(places: Places, held: Numbers | None, length: int) -> Counts:
    # Sums of whole numbers as floats are exact up to 2**53 objects.
    return np.bincount(places, held, length).astype(np.int64)


def _months(first: int, days: int) -> Whole:
    """The month, counted from January 1970, of each of some days in a row from day `first` on."""
    return np.arange(first, first + days).astype("M8[D]").astype("M8[M]").astype(np.int64)
