"""One unit of work, and how several of them become one transaction with its log and its events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import Session, insert

from sharing.records.audit import GENESIS, AuditEntry, Entry, linked
from sharing.records.events import Event, Happened
from sharing.records.heads import take
from sharing.records.tables import now


@dataclass(slots=True)
class Unit:
    """One unit of work: a session, and what is to be logged and told when it commits."""

    session: Session
    entries: list[Entry] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)

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


def together(connection: Connection, works: Sequence[Callable[[Unit], Any]]) -> list[Any]:
    """Runs works one after the other; then writes what they tell and what they log."""
    results, entries, happened = [], [], []
    for work in works:
        with Session(connection, expire_on_commit=False) as session:
            unit = Unit(session)
            results.append(work(unit))
            session.flush()
        entries += unit.entries
        happened += unit.happened
    _tell(connection, happened)
    _log(connection, entries)
    return results


def _tell(connection: Connection, happened: Sequence[Happened]) -> None:
    if not happened:
        return
    first, at = take(connection, "event", len(happened)), now()
    connection.execute(
        insert(Event),
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
    first, at, rows = take(connection, "audit", len(entries)), now(), []
    previous = (
        connection.execute(
            text("SELECT hash FROM audit_entry WHERE position = :last"), {"last": first - 1}
        ).scalar()
        or GENESIS
    )
    for i, entry in enumerate(entries):
        rows.append(linked(first + i, at, entry, previous))
        previous = rows[-1]["hash"]
    connection.execute(insert(AuditEntry), rows)
