"""The ledger's distinct statements, and what the pure rule makes of each for one question.

There are millions of events, but few things that people say: the rule is asked once a statement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from sharing.consent import ENDED, Action, ConsentEvent, Question, Weight, weigh
from sharing.jurisdiction import Needs
from sharing.records.ledger import LedgerBroken
from sharing.stages import Exclusion

# What a reason is in an array: 0 covered, else its place here plus one.
REASONS: tuple[Exclusion, ...] = tuple(Exclusion)
COVERED = 0
UNSAID = -1
_NO_TIME = datetime.fromtimestamp(0, UTC)


def code(reason: Exclusion | None) -> int:
    """A reason as a small number."""
    return COVERED if reason is None else REASONS.index(reason) + 1


# What ended consent by an act: time has no say in it any more.
ENDINGS = frozenset(code(reason) for reason in ENDED.values())


@dataclass(slots=True)
class Weights:
    """The rule's word on each statement, by statement number."""

    question: Question
    relevant: npt.NDArray[np.bool_]
    near: npt.NDArray[np.uint8]
    code: npt.NDArray[np.uint8]
    met: npt.NDArray[np.uint8]


@dataclass(slots=True)
class Statements:
    """Every distinct statement of the ledger, in the order of their numbers, from 0 without gaps.

    `home` is the place in `jurisdictions` of the one that a statement names, -1 where it names
    none; `minor` 1 or 0 where it says, else -1.
    """

    events: list[ConsentEvent] = field(default_factory=list)
    jurisdictions: list[str] = field(default_factory=list)
    home: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    minor: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.events)

    def learn(self, terms: Iterable[tuple[int, Sequence[Any]]]) -> None:
        """Takes in further statements as (number, terms); raises LedgerBroken at a gap."""
        homes, minors = self.home.tolist(), self.minor.tolist()
        for number, said in terms:
            if number < len(self.events):
                continue
            if number > len(self.events):
                raise LedgerBroken(f"Statement {len(self.events)} of the ledger is missing.")
            event = _event(said)
            self.events.append(event)
            homes.append(self._home(event.jurisdiction))
            minors.append(UNSAID if event.minor is None else int(event.minor))
        self.home, self.minor = np.array(homes, np.int32), np.array(minors, np.int32)

    def _home(self, jurisdiction: str | None) -> int:
        if jurisdiction is None:
            return UNSAID
        if jurisdiction not in self.jurisdictions:
            self.jurisdictions.append(jurisdiction)
        return self.jurisdictions.index(jurisdiction)

    def weighed(self, question: Question) -> Weights:
        """What the rule makes of each statement."""
        weights = [weigh(question, event) for event in self.events]
        return Weights(
            question,
            np.array([weight.relevant for weight in weights], np.bool_),
            np.array([weight.near for weight in weights], np.uint8),
            np.array([code(weight.reason) for weight in weights], np.uint8),
            np.array([_met(weight) for weight in weights], np.uint8),
        )


def _met(weight: Weight) -> int:
    return Needs.EXPLICIT * weight.explicit | Needs.WRITTEN * weight.written


def _event(terms: Sequence[Any]) -> ConsentEvent:
    """A statement as an event of nobody: what the rule weighs."""
    purpose, category, recipient, action, explicit, notice, version, method, where, minor = terms
    return ConsentEvent(
        0,
        "",
        purpose,
        category,
        recipient,
        Action(action),
        bool(explicit),
        notice,
        version,
        _NO_TIME,
        None,
        method,
        where,
        minor,
    )
