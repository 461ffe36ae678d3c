"""The append-only log: every change, and every refused attempt at one, linked by hashes."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records import heads
from sharing.records.tables import Position

GENESIS = "0" * 64
# Of text and whole numbers the standard encoder writes the canonical form too, and much faster.
_PLAIN = frozenset({str, int, bool, type(None)})
_ENCODED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


# The few entries that say what a reading of the whole log came to: an index of their own.
READINGS = text("action IN ('audit.verified', 'audit.found_broken')")


class AuditEntry(SQLModel, table=True):
    """One line of the log. `hash` covers every other column and the hash before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_reading", "position", sqlite_where=READINGS,
              postgresql_where=READINGS),
    )  # fmt: skip
    position: int = Field(
        primary_key=True, sa_type=Position, sa_column_kwargs={"autoincrement": False}
    )
    at: datetime
    actor: str
    action: str
    request_id: str | None = Field(default=None, index=True)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be logged: who did what, to which request; ids and codes only."""

    actor: str
    action: str
    request_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def linked(position: int, at: datetime, entry: Entry, previous: str) -> dict[str, Any]:
    """The row for `entry` behind the one whose hash is `previous`."""
    row: dict[str, Any] = {
        "position": position,
        "at": at,
        "actor": entry.actor,
        "action": entry.action,
        "request_id": entry.request_id,
        "detail": entry.detail,
        "previous": previous,
    }
    return {**row, "hash": entry_hash(row)}


def entry_hash(row: dict[str, Any]) -> str:
    """sha256, in hex, over the canonical JSON (RFC 8785) of a row without its own hash."""
    written = {**row, "at": row["at"].isoformat()}
    plain = all(type(v) in _PLAIN and name.isascii() for name, v in row["detail"].items())
    return hashlib.sha256(
        _ENCODED(written).encode() if plain else rfc8785.dumps(written)
    ).hexdigest()


class LogBroken(Exception):
    """The log was changed behind our back: says at which position."""


def verify(session: Session) -> tuple[int, str]:
    """Reads the whole log; returns (entries, last hash) or raises LogBroken at the first flaw.

    The chain alone does not show that its last entries are gone: the positions given out do."""
    given_out = heads.position(session.connection(), "audit")
    position, previous = 0, GENESIS
    for row in _rows(session):
        if row["position"] != position + 1:
            raise LogBroken(f"Entry {position + 1} is missing.")
        if row["previous"] != previous or row.pop("hash") != (previous := entry_hash(row)):
            raise LogBroken(f"Entry {position + 1} was changed.")
        position += 1
    if position < given_out:
        raise LogBroken(f"Entry {position + 1} is missing.")
    return position, previous


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    statement = (
        select(AuditEntry).order_by(col(AuditEntry.position)).execution_options(yield_per=1000)
    )
    for entry in session.exec(statement):
        row = entry.model_dump()
        session.expunge(entry)
        yield row


def head(session: Session) -> tuple[int, str]:
    """The last position and its hash: what a manifest carries as a witness."""
    last = session.exec(
        select(AuditEntry).order_by(col(AuditEntry.position).desc()).limit(1)
    ).first()
    return (last.position, last.hash) if last else (0, GENESIS)


def page(
    session: Session, after: int, limit: int, request_id: str | None = None
) -> list[AuditEntry]:
    """Entries behind a position, in order."""
    statement = select(AuditEntry).where(col(AuditEntry.position) > after)
    if request_id is not None:
        statement = statement.where(AuditEntry.request_id == request_id)
    return list(session.exec(statement.order_by(col(AuditEntry.position)).limit(limit)))
