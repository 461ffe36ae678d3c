"""The snapshots of a process: a few are kept, and follow the ledger when they are used."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from sharing import vocabulary
from sharing.consent import Question
from sharing.records import heads, ledger
from sharing.records.ledger import Checkpoint
from sharing.snapshot.beside import beside
from sharing.snapshot.decide import Standing, Tables
from sharing.snapshot.decision import Decision, drawn
from sharing.snapshot.progress import Step, Tell, untold
from sharing.snapshot.scope import Scope, read_scope
from sharing.snapshot.selection import Filter
from sharing.snapshot.snapshot import NOWHERE, Snapshot

TOGETHER = 500_000
SNAPSHOTS, SCOPES = 4, 4
SAMPLE = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be decided: a question over a filter's objects of one version of a dataset's
    index, at a moment in microseconds since 1970. `upto` is a past position to go back to; `seed`
    draws the sample; `about` is written into the decision file."""

    question: Question
    dataset_id: str
    index: int
    wanted: Filter
    moment: int
    seed: str = ""
    upto: int | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


class Few(Generic[T]):
    """The last few things used, by key."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, OrderedDict[Hashable, T]()
        self._lock = Lock()

    def get(self, key: Hashable) -> T | None:
        """What is kept under a key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, value: T) -> None:
        """Keeps a thing, and lets go of the one not used for longest."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


class Snapshots:
    """The snapshots and indexes of one database. Give it sessions that read: what a transaction
    has written and not committed must never get into a snapshot."""

    def __init__(self) -> None:
        self._snapshots: Few[Snapshot] = Few(SNAPSHOTS)
        self._scopes: Few[Scope] = Few(SCOPES)

    def decided(
        self,
        session: Session,
        asked: Asked,
        tell: Tell = untold,
        besides: Sequence[Question] = (),
    ) -> Decision:
        """The whole scope, decided over the ledger as it stands now (or stood at `asked.upto`).
        `tell` hears how far it has come. `besides` are questions about the same objects that need
        a yes too. Raises LedgerBroken where the ledger's chain does not hold."""
        scope = self._scope(session, asked.dataset_id, asked.index, tell)
        found: Decision | None = None
        # From the last to the first, so that the reason is that of the first without a yes.
        for question in (*reversed(besides), asked.question):
            one = replace(asked, question=question)
            snapshot = self._standing(session, one, tell)
            found = beside(lambda s=snapshot, a=one, d=found: decided(s, scope, a, d))  # type: ignore[misc]
        assert found is not None  # noqa: S101 (there is always the first question)
        return found

    def _scope(self, session: Session, dataset_id: str, index: int, tell: Tell) -> Scope:
        key = (dataset_id, index)
        if (found := self._scopes.get(key)) is None:
            found = read_scope(session, *key, tell)
            self._scopes.keep(key, found)
        return found

    def _standing(self, session: Session, asked: Asked, tell: Tell) -> Snapshot:
        if asked.upto is not None:
            then = Snapshot(asked.question)
            brought_up(session, then, asked.upto, tell)
            return then
        key = _key(asked.question)
        snapshot = self._snapshots.get(key)
        if snapshot is None or not _still_true(session, snapshot):
            snapshot = Snapshot(asked.question)
        brought_up(session, snapshot, tell=tell)
        self._snapshots.keep(key, snapshot)
        return snapshot


def brought_up(
    session: Session, snapshot: Snapshot, upto: int | None = None, tell: Tell = untold
) -> None:
    """Lets a snapshot follow the ledger to where the session sees it end, or to a position."""
    connection = session.connection()
    last = ledger.head(connection)[0]
    if upto is not None:
        last = min(last, upto)
    if last <= snapshot.position:
        return
    # In this order: what the checkpoints up to `last` name is then there for certain.
    subjects = heads.position(connection, "subject")
    first = len(snapshot.statements)
    terms = list(zip(count(first), ledger.statements(session, first)))
    begin = snapshot.position
    for page in _pages(ledger.checkpoints(session, begin, last)):
        beside(lambda page=page: _follow(snapshot, page, terms, subjects, upto))  # type: ignore[misc]
        tell(Step.EVENTS, snapshot.position - begin, last - begin)


def _follow(snapshot: Snapshot, *given: Any) -> None:
    with snapshot.lock:
        snapshot.follow(*given)


def _pages(found: Iterator[Checkpoint]) -> Iterator[list[Checkpoint]]:
    page: list[Checkpoint] = []
    events = 0
    for checkpoint in found:
        page.append(checkpoint)
        events += checkpoint.last - checkpoint.first + 1
        if events >= TOGETHER:
            yield page
            page, events = [], 0
    if page:
        yield page


def _still_true(session: Session, snapshot: Snapshot) -> bool:
    """True if the ledger, as this session sees it, holds the checkpoint a snapshot stands at."""
    if snapshot.position == 0:
        return snapshot.hash == ledger.GENESIS
    found = session.execute(
        select(Checkpoint.hash).where(col(Checkpoint.last) == snapshot.position)
    ).scalar_one_or_none()
    return snapshot.hash != NOWHERE and found == snapshot.hash


def _key(question: Question) -> Hashable:
    """What decides which events are relevant: all of a question but what it asks of a yes."""
    return (
        question.purpose,
        question.category,
        question.recipient,
        question.recipient_class,
        vocabulary.digest(),
    )


def decided(
    snapshot: Snapshot, scope: Scope, asked: Asked, besides: Decision | None = None
) -> Decision:
    """A scope decided by a snapshot, as it stands, and by what was decided on further questions.
    The position is the earliest that any of them was decided at."""
    with snapshot.lock:
        wanted = scope.selection(asked.wanted)
        weights = snapshot.weights(asked.question)
        tables = Tables.of(snapshot.statements, weights, asked.question)
        standing = Standing(snapshot.fold, snapshot.people, tables, snapshot.subjects)
        codes, tally = standing.decided(
            wanted, asked.moment, None if besides is None else besides.codes
        )
        return Decision(
            min(snapshot.position, besides.position if besides else snapshot.position),
            asked.moment,
            min(tally.until, besides.until if besides else tally.until),
            asked.about,
            tally.breakdown(snapshot.statements),
            drawn(snapshot.fold, wanted, codes, asked.seed, SAMPLE),
            asked.seed,
            wanted,
            codes,
        )


_OF_ENGINE: WeakKeyDictionary[Engine, Snapshots] = WeakKeyDictionary()


def snapshots_of(session: Session) -> Snapshots:
    """The snapshots of the database that a session reads from."""
    return _OF_ENGINE.setdefault(session.connection().engine, Snapshots())
