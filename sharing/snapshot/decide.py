"""The rule over a whole scope: a reason for each subject, in pages.

The order of reasons is that of `verify`: an ending event, running out, then what the statement
itself lacks, then what the subject's jurisdiction needs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sharing.consent import MISSES, Question
from sharing.jurisdiction import Needs
from sharing.snapshot.columns import Numbers, Places
from sharing.snapshot.fold import Fold
from sharing.snapshot.people import People, Told
from sharing.snapshot.selection import Selection
from sharing.snapshot.statements import COVERED, ENDINGS, UNSAID, Statements, Weights, code
from sharing.snapshot.tally import Tally
from sharing.stages import Exclusion

PAGE = 50_000
Codes = npt.NDArray[np.uint8]
# By what stands in a fold, which is below zero where nothing relevant does.
BELOW = len(MISSES)


@dataclass(frozen=True, slots=True)
class Tables:
    """What the rule says, by small numbers: `reason`, `timed` (it may run out) and `met` by what
    stands, `needs` by jurisdiction."""

    reason: Codes
    timed: npt.NDArray[np.bool_]
    met: Codes
    needs: Codes

    @classmethod
    def of(cls, statements: Statements, weights: Weights, asked: Question) -> "Tables":
        """The tables of one question."""
        missed = np.array([code(reason) for reason in reversed(MISSES)], np.uint8)
        nothing = np.zeros(BELOW, np.uint8)
        places = (None, *statements.jurisdictions)
        return cls(
            np.concatenate([missed, weights.code]),
            np.concatenate([nothing != 0, ~np.isin(weights.code, list(ENDINGS))]),
            np.concatenate([nothing, weights.met]),
            np.array([asked.rules.needs(place, asked) for place in places], np.uint8),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A fold and the people of the same position, under the tables of one question."""

    fold: Fold
    people: People
    tables: Tables
    subjects: int

    def decided(self, wanted: Selection, moment: int) -> tuple[Codes, Tally]:
        """A reason for each subject of a selection at a moment, in microseconds since 1970."""
        subjects = wanted.subjects
        codes = np.full(len(subjects), code(Exclusion.NEVER_ASKED), np.uint8)
        tally = Tally(
            np.zeros(len(self.tables.reason) - BELOW, np.int64),
            np.zeros(len(self.tables.needs), np.int64),
        )
        known = int(np.searchsorted(subjects, self.subjects))
        for begin in range(0, known, PAGE):
            page = slice(begin, min(begin + PAGE, known))
            held = None if wanted.held is None else wanted.held[page]
            codes[page] = self._page(subjects[page], held, moment, tally)
        return codes, tally

    def _page(self, subjects: Numbers, held: Numbers | None, moment: int, tally: Tally) -> Codes:
        tables, places = self.tables, _places(subjects)
        what = self.fold.what[places] + np.intp(BELOW)
        until = self.fold.until[places]
        home = _told(self.people.home, places, len(subjects)) + np.intp(1)
        codes = tables.reason.take(what)
        lapsed = until <= moment
        if lapsed.any():
            codes[lapsed & tables.timed.take(what)] = code(Exclusion.EXPIRED)
        needs = tables.needs.take(home)
        if not self.people.minor.silent:
            needs[self.people.minor.value[places] == 1] = Needs.NEVER
        needs &= ~tables.met.take(what)
        codes[(needs != 0) & (codes == COVERED)] = code(Exclusion.JURISDICTION)
        covered = codes == COVERED
        tally.add(
            what[covered] - BELOW,
            home[covered],
            self.fold.at[places][covered],
            until[covered],
            None if held is None else held[covered],
        )
        return codes


def _places(subjects: Numbers) -> Places | slice:
    """Where a page of subjects lies in the arrays; a slice, which costs nothing, where they are
    neighbours."""
    first, last = int(subjects[0]), int(subjects[-1])
    if last - first + 1 == len(subjects):
        return slice(first, last + 1)
    return subjects.astype(np.intp)


def _told(matter: Told, places: Places | slice, count: int) -> npt.NDArray[np.int32]:
    return np.full(count, UNSAID, np.int32) if matter.silent else matter.value[places]
