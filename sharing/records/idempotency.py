"""Idempotency keys: the same key with the same body has one effect, and one answer (I16)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel

from sharing.errors import Refused
from sharing.records.tables import now


class IdempotencyKey(SQLModel, table=True):
    """A client's key for one POST: the same key with the same body has one effect (I16)."""

    __tablename__ = "idempotency_key"
    client: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_hash: str
    status: int
    response: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    at: datetime


def find(session: Session, client: str, key: str, body_hash: str) -> IdempotencyKey | None:
    """What this client's key was used for; raises Refused if it was for something else."""
    row = session.get(IdempotencyKey, (client, key))
    if row is not None and row.body_hash != body_hash:
        raise Refused(
            "idempotency_mismatch",
            "This Idempotency-Key was used with another body or address: use a new key.",
        )
    return row


def remember(
    session: Session,
    client: str,
    key: str,
    body_hash: str,
    status: int,
    answer: Mapping[str, Any],
) -> None:
    """Keeps the answer for a key; a row without one takes it. Raises Refused, as `find` does."""
    row = find(session, client, key, body_hash)
    kept = {"answer": dict(answer)}
    if row is not None:
        row.status, row.response = status, kept
        return
    session.add(
        IdempotencyKey(
            client=client, key=key, body_hash=body_hash, status=status, response=kept, at=now()
        )
    )


def answer(row: IdempotencyKey) -> dict[str, Any] | None:
    """The answer that was given; None if it was recorded without one."""
    given = row.response.get("answer")
    return given if isinstance(given, dict) else None
