"""What the ledger says of each subject whatever is asked: jurisdiction, and whether a minor."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sharing.snapshot import lasting
from sharing.snapshot.columns import LONG_AGO, Columns, Whole, grown
from sharing.snapshot.statements import UNSAID, Statements


@dataclass(slots=True)
class Told:
    """By subject number, the latest thing that was said of one matter, as a small number."""

    value: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    at: Whole = field(default_factory=lambda: np.empty(0, np.int64))
    latest: int = LONG_AGO

    @property
    def silent(self) -> bool:
        """True while nobody said anything of it."""
        return self.latest == LONG_AGO

    def apply(self, events: Columns, said: npt.NDArray[np.int32], subjects: int) -> None:
        """Takes in the next events, of subjects numbered below `subjects`; `said` is what each
        statement says of the matter, UNSAID where nothing."""
        if not self.silent or (said != UNSAID).any():
            self._apply(events, said, subjects)

    def _apply(self, events: Columns, said: npt.NDArray[np.int32], subjects: int) -> None:
        self.value = grown(self.value, subjects, UNSAID)
        self.at = grown(self.at, subjects, LONG_AGO)
        values = said[events.statement]
        rows = lasting.rows_where(values != UNSAID)
        if rows is not None and not len(rows):
            return
        rows, self.latest = lasting.latest_of(rows, events.subject, events.at, self.at, self.latest)
        if rows is not None and not len(rows):
            return
        subject = lasting.picked(events.subject, rows)
        self.value[subject] = lasting.picked(values, rows)
        self.at[subject] = lasting.picked(events.at, rows)


@dataclass(slots=True)
class People:
    """By subject number: `home` a place in `Statements.jurisdictions`, `minor` 0 or 1."""

    home: Told = field(default_factory=Told)
    minor: Told = field(default_factory=Told)

    def apply(self, events: Columns, statements: Statements, subjects: int) -> None:
        """Takes in the next events of the ledger, of subjects numbered below `subjects`."""
        self.home.apply(events, statements.home, subjects)
        self.minor.apply(events, statements.minor, subjects)
