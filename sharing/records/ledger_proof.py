"""The proof that the consent ledger is whole: everything that can be recomputed is recomputed.

Three tell the same story: the events in words, the checkpoints in numbers, and the audit log, which
names each checkpoint's hash. Changing one of them shows in the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlmodel import Session, col, func, select

from sharing.records import heads, ledger
from sharing.records.audit import AuditEntry
from sharing.records.consents import TABLE
from sharing.records.ledger import Batch, Checkpoint, LedgerBroken, Statement, Subject

PAGE = 10_000
Tell = Callable[[int, int], None]  # events proven, and how many there are
_SUBJECTS, _TERMS = Subject.__table__, Statement.__table__  # type: ignore[attr-defined]
_NONE: tuple[int, dict[str, Any]] = (0, {})
_NAMES = tuple(column.name for column in TABLE.columns)


@dataclass(frozen=True, slots=True)
class Proven:
    """A ledger that is whole: how many events and checkpoints, the last hash, and from which
    position on the audit log names each checkpoint (None: nothing was appended since it does)."""

    events: int
    checkpoints: int
    head: str
    witnessed: int | None


def prove(session: Session, tell: Tell = lambda _done, _all: None) -> Proven:
    """Reads the whole ledger; raises LedgerBroken at the first position that does not hold."""
    logged = heads.position(session.connection(), "audit")  # before the ledger's: it may grow
    last = heads.position(session.connection(), "consent")
    numbers = _numbers(session)
    rows, witnesses = events(session, last), _Witnesses(_linked(session))
    position, previous, count = 0, ledger.GENESIS, 0
    for found in ledger.checkpoints(session, upto=last):
        if found.first != position + 1:
            raise LedgerBroken(f"The checkpoint of position {position + 1} is missing.")
        arrays = ledger.columns_of(found)
        if found.previous != previous:
            raise LedgerBroken(f"The checkpoint at position {found.last} was changed.")
        _compare(found, arrays, list(islice(rows, found.last - position)), numbers)
        witnesses.see(found)
        position, previous, count = found.last, found.hash, count + 1
        tell(position, last)
    witnesses.end(logged)
    _nothing_behind(session, position, last)
    return Proven(position, count, previous, witnesses.since)


def _compare(
    found: Checkpoint,
    arrays: dict[str, np.ndarray[Any, Any]],
    rows: list[Row[Any]],
    numbers: dict[str, int],
) -> None:
    """Raises LedgerBroken where the words of events are not what their checkpoint was made of."""
    positions = [row.position for row in rows]
    if positions != list(range(found.first, found.last + 1)):
        there = set(positions)
        missing = next(p for p in range(found.first, found.last + 1) if p not in there)
        raise LedgerBroken(f"Event {missing} is missing.")
    said = batch(rows)
    untouched = ledger.events_digest(said) == found.events_sha256
    for name, values in _recomputed(said, [row.number for row in rows], numbers).items():
        differ = np.flatnonzero(np.array(values, dtype=np.int64) != arrays[name].astype(np.int64))
        if len(differ) and untouched:
            raise LedgerBroken(f"The {name} of event {found.first + differ[0]} was renumbered.")
        if len(differ):
            raise LedgerBroken(f"Event {found.first + differ[0]} was changed.")
    if not untouched and found.first == found.last:
        raise LedgerBroken(f"Event {found.first} was changed.")
    if not untouched:
        raise LedgerBroken(f"An event from {found.first} to {found.last} was changed.")


def _recomputed(
    batch: Batch, subjects: list[int | None], numbers: dict[str, int]
) -> dict[str, list[int]]:
    """The numbers of a checkpoint, made from words; -1 for what has no number."""
    given = {terms: numbers.get(ledger.in_text(terms), -1) for terms in set(batch.terms)}
    return {
        "at": list(batch.at),
        "until": list(batch.until),
        "subject": [-1 if number is None else number for number in subjects],
        "statement": [given[terms] for terms in batch.terms],
    }


class _Witnesses:
    """What the audit log says of checkpoints, to be held beside the checkpoints, in order."""

    def __init__(self, named: Iterator[tuple[int, dict[str, Any]]]) -> None:
        self._named = named
        self._at, self._next = next(named, _NONE)
        self.since: int | None = self._next.get("first")

    def see(self, found: Checkpoint) -> None:
        """Raises LedgerBroken for a checkpoint that the log should name and does not."""
        if self.since is None or found.last < self.since:
            return  # from before the log named checkpoints
        if self._next != {"first": found.first, "last": found.last, "checkpoint": found.hash}:
            raise LedgerBroken(
                f"The checkpoint at position {found.last} is not the one that the audit log names."
            )
        self._at, self._next = next(self._named, _NONE)

    def end(self, logged: int) -> None:
        """Raises LedgerBroken where the log, up to its position `logged`, names more."""
        if self._next and self._at <= logged:
            raise LedgerBroken(f"Event {self._next['first']} is missing: the audit log names it.")


def batch(rows: Sequence[Row[Any]]) -> Batch:
    """What `events` gave, as a batch."""
    columns = list(zip(*rows, strict=True))
    return ledger.batch_of(dict(zip(_NAMES, columns, strict=False)))  # without the number


def events(session: Session, upto: int) -> Iterator[Row[Any]]:
    """Every column of each event, and its subject's number, in order of position."""
    after, join = 0, TABLE.outerjoin(_SUBJECTS, _SUBJECTS.c.name == TABLE.c.subject)
    statement = (
        TABLE.select()
        .add_columns(_SUBJECTS.c.number)
        .select_from(join)
        .order_by(TABLE.c.position)
        .limit(PAGE)
    )
    while True:
        inside = TABLE.c.position.between(after + 1, upto)
        page = session.connection().execute(statement.where(inside)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].position


def _linked(session: Session) -> Iterator[tuple[int, dict[str, Any]]]:
    """(position in the log, detail) of each append that the audit log knows, in order."""
    after = 0
    while True:
        page = session.execute(
            select(AuditEntry.position, AuditEntry.detail)
            .where(AuditEntry.action == ledger.LINKED, col(AuditEntry.position) > after)
            .order_by(col(AuditEntry.position))
            .limit(PAGE)
        ).all()
        yield from ((at, detail) for at, detail in page)
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _numbers(session: Session) -> dict[str, int]:
    """The number of each statement; raises LedgerBroken where numbers have gaps."""
    for table, noun in ((_SUBJECTS, "subject"), (_TERMS, "statement")):
        given = heads.position(session.connection(), noun)
        count, highest = session.execute(
            select(func.count(), func.max(table.c.number)).select_from(table)
        ).one()
        if count < given or (count and highest != count - 1):
            raise LedgerBroken(f"The numbers of {noun}s have a gap: {given} were given.")
    return {terms: number for number, terms in session.execute(_TERMS.select())}


def _nothing_behind(session: Session, position: int, last: int) -> None:
    """Raises LedgerBroken where positions were given out that no checkpoint covers, or events lie
    behind all positions that were given out."""
    if position < last:
        raise LedgerBroken(f"The checkpoint of position {position + 1} is missing.")
    stray = session.execute(
        select(func.min(TABLE.c.position)).where(
            (TABLE.c.position < 1)
            | (TABLE.c.position > heads.position(session.connection(), "consent"))
        )
    ).scalar()
    if stray is not None:
        raise LedgerBroken(f"Event {stray} was never given its position.")
