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

PAGE = 50_000  # what is computed between two looks at the arrays then stays in a core's cache
Codes = npt.NDArray[np.uint8]
# By what stands in a fold, which is below zero where nothing relevant does.
BELOW = len(MISSES)
# What the rule says of a statement, in one byte: the reason, TIMED where it may run out, and behind
# MET what it meets of Needs.
REASON, TIMED, MET = np.uint8(0x1F), np.uint8(5), np.uint8(6)


@dataclass(frozen=True, slots=True)
class Tables:
    """What the rule says, by small numbers: `said` by what stands, `needs` by jurisdiction."""

    said: Codes
    needs: Codes

    @classmethod
    def of(cls, statements: Statements, weights: Weights, asked: Question) -> "Tables":
        """The tables of one question."""
        missed = np.array([code(reason) for reason in reversed(MISSES)], np.uint8)
        timed = ~np.isin(weights.code, list(ENDINGS))
        said = weights.code | timed.view(np.uint8) << TIMED | weights.met << MET
        places = (None, *statements.jurisdictions)
        return cls(
            np.concatenate([missed, said]),
            np.array([asked.rules.needs(place, asked) for place in places], np.uint8),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A fold and the people of the same position, under the tables of one question."""

    fold: Fold
    people: People
    tables: Tables
    subjects: int

    def decided(
        self, wanted: Selection, moment: int, besides: Codes | None = None
    ) -> tuple[Codes, Tally]:
        """A reason for each subject of a selection at a moment, in microseconds since 1970.
        `besides` are the reasons of further questions: who has none here has theirs."""
        subjects = wanted.subjects
        codes = np.full(len(subjects), code(Exclusion.NEVER_ASKED), np.uint8)
        tally = Tally(
            np.zeros(len(self.tables.said) - BELOW, np.int64),
            np.zeros(len(self.tables.needs), np.int64),
        )
        known = len(subjects)
        if known and int(subjects[-1]) >= self.subjects:
            known = int(np.searchsorted(subjects, np.uint32(self.subjects)))
        for begin in range(0, known, PAGE):
            page = slice(begin, min(begin + PAGE, known))
            held = None if wanted.held is None else wanted.held[page]
            others = None if besides is None else besides[page]
            codes[page] = self._page(subjects[page], held, moment, tally, others)
        return codes, tally

    def _page(
        self,
        subjects: Numbers,
        held: Numbers | None,
        moment: int,
        tally: Tally,
        others: Codes | None,
    ) -> Codes:
        tables, places = self.tables, _places(subjects)
        what = self.fold.what[places] + np.intp(BELOW)
        home = _told(self.people.home, places, len(subjects)) + np.intp(1)
        said, needs = tables.said.take(what), tables.needs.take(home)
        if not self.people.minor.silent:
            minor = self.people.minor.value[places] == 1
            needs |= minor.view(np.uint8) * np.uint8(Needs.NEVER)
        until = self.fold.until[places]
        lapsed = (said >> TIMED) & (until <= moment).view(np.uint8)
        codes = _or_else(said & REASON, lapsed, code(Exclusion.EXPIRED))
        unmet = (needs & ~(said >> MET) != 0) & (codes == COVERED)
        codes = _or_else(codes, unmet.view(np.uint8), code(Exclusion.JURISDICTION))
        if others is not None:
            codes = codes + (codes == COVERED).view(np.uint8) * others
        covered = np.flatnonzero(codes == COVERED)
        tally.add(
            what.take(covered) - BELOW,
            home.take(covered),
            self.fold.at.take(_chosen(places, covered)),
            until.take(covered),
            None if held is None else held.take(covered),
        )
        return codes


def _or_else(codes: Codes, flags: Codes, other: int) -> Codes:
    """The codes, and the other one where a flag is 1. Arithmetic, since a choice that no processor
    can foresee takes ten times as long."""
    return codes + flags * (np.uint8(other) - codes)


def _places(subjects: Numbers) -> Places | slice:
    """Where a page of subjects lies in the arrays; a slice, which costs nothing, where they are
    neighbours."""
    first, last = int(subjects[0]), int(subjects[-1])
    if last - first + 1 == len(subjects):
        return slice(first, last + 1)
    return subjects.astype(np.intp)


def _chosen(places: Places | slice, rows: Places) -> Places:
    """Some rows of a page as places in the arrays."""
    return rows + places.start if isinstance(places, slice) else places.take(rows)


def _told(matter: Told, places: Places | slice, count: int) -> npt.NDArray[np.int32]:
    return np.full(count, UNSAID, np.int32) if matter.silent else matter.value[places]
