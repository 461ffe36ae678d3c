"""The consent ledger as it stands at one position, folded for one question.

A snapshot takes in checkpoints one after the other and believes none that does not follow, by its
hash, from the one that it stands at. It is a cache: it knows nothing that the ledger does not say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sharing.consent import Question
from sharing.records.ledger import GENESIS, Checkpoint, LedgerBroken
from sharing.snapshot.columns import Columns, linked
from sharing.snapshot.fold import Fold
from sharing.snapshot.people import People
from sharing.snapshot.statements import Statements, Weights

NOWHERE = ""


@dataclass(slots=True)
class Snapshot:
    """`position` and `hash` name the checkpoint it stands at: NOWHERE while it changes, or where
    it was taken up to a position within a checkpoint. Hold `lock` to use or change it."""

    question: Question
    position: int = 0
    hash: str = GENESIS
    subjects: int = 0
    statements: Statements = field(default_factory=Statements)
    fold: Fold = field(default_factory=Fold)
    people: People = field(default_factory=People)
    lock: Lock = field(default_factory=Lock)
    _weights: Weights | None = None

    def follow(
        self,
        found: Sequence[Checkpoint],
        terms: Sequence[tuple[int, Sequence[Any]]],
        subjects: int,
        upto: int | None = None,
    ) -> None:
        """Takes in checkpoints in order, `terms` being numbered statements that it may not know,
        `subjects` how many have a number. What is known already is passed over, and so is what
        lies behind `upto`. Raises LedgerBroken where something does not follow."""
        new = [checkpoint for checkpoint in found if checkpoint.last > self.position]
        if not new:
            return
        if self.hash == NOWHERE:
            raise LedgerBroken("This snapshot stands at no checkpoint: it cannot be followed on.")
        events = linked(new, self.position, self.hash)
        at_hash = new[-1].hash
        if upto is not None and upto < events.last:
            events, at_hash = events.upto(upto), NOWHERE
        self.hash = NOWHERE
        self._take_in(events, terms, subjects)
        self.position, self.hash = events.last, at_hash

    def _take_in(
        self, events: Columns, terms: Sequence[tuple[int, Sequence[Any]]], subjects: int
    ) -> None:
        self.statements.learn(terms)
        if int(events.statement.max()) >= len(self.statements):
            raise LedgerBroken("An event names a statement that the ledger does not have.")
        if int(events.subject.max()) >= subjects:
            raise LedgerBroken("An event names a subject that the ledger does not have.")
        self.subjects = max(self.subjects, subjects)
        self.fold.make_room(self.subjects)
        self.fold.apply(events, self.weights(self.question))
        self.people.apply(events, self.statements, self.subjects)

    def weights(self, question: Question) -> Weights:
        """What the rule makes of each statement, for this question or one that differs from the
        snapshot's in the notices only."""
        kept = self._weights
        if kept is None or len(kept.code) < len(self.statements) or kept.question != question:
            kept = self._weights = self.statements.weighed(question)
        return kept
