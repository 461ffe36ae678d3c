"""What is counted while a scope is decided: the covered objects, broken down."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from sharing.records.ledger import NEVER
from sharing.snapshot.columns import Numbers, Whole
from sharing.snapshot.statements import Statements

DAY = 86_400_000_000
NOWHERE_NAMED = "unknown"
Places = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """Counts of the covered objects by statement, by jurisdiction (its place in the list plus
    one), and by day of consent; `until` is when the first of the consents runs out."""

    by_statement: Counts
    by_home: Counts
    by_day: dict[int, int] = field(default_factory=dict)
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
        for day in np.flatnonzero(counts).tolist():
            self.by_day[first + day] = self.by_day.get(first + day, 0) + int(counts[day])
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
        for day, count in self.by_day.items():
            months[f"{_EPOCH + timedelta(days=day):%Y-%m}"] += count
        counted = {"notice": notices, "jurisdiction": homes, "month": months}
        return {kind: dict(sorted(counter.items())) for kind, counter in counted.items()}


def _counted(places: Places, held: Numbers | None, length: int) -> Counts:
    # Sums of whole numbers as floats are exact up to 2**53 objects.
    return np.bincount(places, held, length).astype(np.int64)
