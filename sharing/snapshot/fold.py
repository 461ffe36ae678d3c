"""The ledger folded for one question: of each subject, the last event that speaks of it.

Of several values assigned to one place numpy keeps the last. So events in order need no sorting
and no loop: the last relevant one of each subject is the one that stays.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sharing.consent import MISSES
from sharing.records.ledger import NEVER
from sharing.snapshot import lasting
from sharing.snapshot.columns import LONG_AGO, Columns, Whole, grown
from sharing.snapshot.statements import Weights

# What stands where no relevant event does: the lower, the nearer one came.
NEVER_ASKED = -1


def _none() -> Whole:
    return np.empty(0, np.int64)


@dataclass(slots=True)
class Fold:
    """Arrays by subject number. `what` is the statement that stands; below zero there is none:
    -1 never asked, -2 to -4 how near an event came (see `weigh`)."""

    what: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    at: Whole = field(default_factory=_none)
    until: Whole = field(default_factory=_none)
    position: Whole = field(default_factory=_none)
    latest: int = LONG_AGO

    def make_room(self, subjects: int) -> None:
        """Room for subjects numbered below `subjects`."""
        self.what = grown(self.what, subjects, NEVER_ASKED)
        self.at = grown(self.at, subjects, LONG_AGO)
        self.until = grown(self.until, subjects, NEVER)
        self.position = grown(self.position, subjects, 0)

    def apply(self, events: Columns, weights: Weights) -> None:
        """Takes in the next events of the ledger; there must be room for their subjects."""
        relevant = weights.relevant[events.statement]
        rows = lasting.rows_where(relevant)
        if rows is not None:
            self._missed(events, weights, ~relevant)
            if not len(rows):
                return
        rows, self.latest = lasting.latest_of(rows, events.subject, events.at, self.at, self.latest)
        if rows is not None and not len(rows):
            return
        self._stand(events, rows)

    def _stand(self, events: Columns, rows: lasting.Rows | None) -> None:
        subject = lasting.picked(events.subject, rows)
        self.what[subject] = lasting.picked(events.statement, rows)
        self.at[subject] = lasting.picked(events.at, rows)
        self.until[subject] = lasting.picked(events.until, rows)
        places = np.arange(len(events.subject)) if rows is None else rows
        self.position[subject] = places + events.first

    def _missed(self, events: Columns, weights: Weights, mask: npt.NDArray[np.bool_]) -> None:
        subject = events.subject[mask]
        near = weights.near[events.statement[mask]]
        for level in range(1, len(MISSES)):
            of_level = subject[near == level]
            held = self.what[of_level]
            nearer = (held < 0) & (held > NEVER_ASKED - level)
            self.what[of_level[nearer]] = NEVER_ASKED - level
