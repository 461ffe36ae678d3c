"""One unit of work, and how several of them become one transaction with its log and its events."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, text
from sqlmodel import Session

from sharing.records.audit import GENESIS, AuditEntry, Entry, linked
from sharing.records.events import Event, Happened
from sharing.records.heads import take
from sharing.records.rows import Row, Rows
from sharing.records.tables import now

T = TypeVar("T")
EVENTS, ENTRIES = Rows(Event), Rows(AuditEntry)
# Positions are taken (records.heads), and the entry before them is read, by one question.
_LAST = text(
    "UPDATE head SET position = position + :count WHERE name = 'audit' RETURNING position, "
    "(SELECT hash FROM audit_entry e WHERE e.position = head.position - :count)"
)


@dataclass(slots=True)
class Group:
    """The works that share a transaction, and what they share for as long as none of them opens a
    session: rows not written yet, and answers that still hold."""

    connection: Connection
    queued: dict[Rows, list[Row]] = field(default_factory=dict)
    answers: dict[Callable[[Connection], Any], Any] = field(default_factory=dict)

    def queue(self, rows: Rows, row: Row) -> None:
        """Puts a row behind those of its table that wait."""
        self.queued.setdefault(rows, []).append(row)

    def settle(self) -> None:
        """Writes what waits, table by table."""
        queued, self.queued = self.queued, {}
        for rows, waiting in queued.items():
            rows.write(self.connection, waiting)


class Unit:
    """One unit of work: a session, and what is to be logged and told when it commits."""

    __slots__ = ("_group", "_session", "entries", "happened")

    def __init__(self, group: Group) -> None:
        self._group = group
        self._session: Session | None = None
        self.entries: list[Entry] = []
        self.happened: list[Happened] = []

    @property
    def session(self) -> Session:
        """Opened when first asked for, since many works need none. It sees all that was written
        before it in the group, and may change anything, so nothing waits and no answer is kept."""
        if self._session is None:
            self._group.settle()
            self._group.answers.clear()
            self._session = Session(self._group.connection, expire_on_commit=False)
        return self._session

    def insert(self, rows: Rows, row: Row) -> None:
        """Adds a row. Until a session is opened it waits for others like it: one statement a table
        then writes them all, and if it fails, each work is tried by itself. So it must not refer
        to a row of another table that waits as well."""
        if self._session is None:
            self._group.queue(rows, row)
        else:
            rows.write(self._session.connection(), [row])

    def ask(self, question: Callable[[Connection], T]) -> T:
        """The answer to a question about what only sessions write; asked once in a group for as
        long as none is opened."""
        if self._session is not None:
            self._session.flush()
            return question(self._session.connection())
        if question not in self._group.answers:
            self._group.answers[question] = question(self._group.connection)
        answer: T = self._group.answers[question]
        return answer

    def audit(self, actor: str, action: str, request_id: str | None = None, **detail: Any) -> None:
        """Logs that `actor` did `action`; detail holds ids, codes and numbers only."""
        self.entries.append(Entry(actor, action, request_id, detail))

    def tell(
        self,
        what: str,
        subject: str,
        *,
        partner_id: str | None = None,
        request_id: str | None = None,
        **data: Any,
    ) -> None:
        """Tells that something happened, in the past tense."""
        self.happened.append(Happened(what, subject, partner_id, request_id, data))

    def flush(self) -> None:
        """Writes what the session holds."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Lets the session go."""
        if self._session is not None:
            self._session.close()


def together(connection: Connection, works: Sequence[Callable[[Unit], Any]]) -> list[Any]:
    """Runs works one after the other; then writes what they tell and what they log."""
    group = Group(connection)
    results, entries, happened = [], [], []
    for work in works:
        with closing(Unit(group)) as unit:
            results.append(work(unit))
            unit.flush()
        entries += unit.entries
        happened += unit.happened
    group.settle()
    _tell(connection, happened)
    _log(connection, entries)
    return results


def _tell(connection: Connection, happened: Sequence[Happened]) -> None:
    if not happened:
        return
    first, at = take(connection, "event", len(happened)), now()
    EVENTS.write(
        connection,
        [
            {
                "position": first + i,
                "at": at,
                "type": h.type,
                "subject": h.subject,
                "partner_id": h.partner_id,
                "request_id": h.request_id,
                "data": h.data,
            }
            for i, h in enumerate(happened)
        ],
    )


def _log(connection: Connection, entries: Sequence[Entry]) -> None:
    """Last of all in the transaction: the log's head is the one row that every writer waits for."""
    if not entries:
        return
    last, at, rows = connection.execute(_LAST, {"count": len(entries)}).one(), now(), []
    first, previous = last[0] - len(entries) + 1, last[1] or GENESIS
    for i, entry in enumerate(entries):
        rows.append(linked(first + i, at, entry, previous))
        previous = rows[-1]["hash"]
    ENTRIES.write(connection, rows)
