"""Attempts at a shard that came to nothing, each with its cause: for people inside. That an attempt
has no row here and did not commit means that its worker was lost, or that it was paused."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.tables import now
from sharing.records.unit import Unit

View = dict[str, Any]
LONGEST = 500


class ShardFailure(SQLModel, table=True):
    """One attempt that failed. `code` is that of a refusal, or `export_failed`."""

    __tablename__ = "shard_failure"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    shard: int = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    code: str
    detail: str
    at: datetime


def note(unit: Unit, export_id: str, shard: int, attempt: int, code: str, detail: str) -> None:
    """Writes down why an attempt failed."""
    unit.session.merge(
        ShardFailure(
            export_id=export_id,
            shard=shard,
            attempt=attempt,
            code=code,
            detail=detail[:LONGEST],
            at=now(),
        )
    )


def of(session: Session, export_id: str, shards: Iterable[int]) -> dict[int, list[View]]:
    """The failed attempts at these shards, in order."""
    rows = session.exec(
        select(ShardFailure)
        .where(ShardFailure.export_id == export_id, col(ShardFailure.shard).in_(list(shards)))
        .order_by(col(ShardFailure.attempt))
    )
    found: dict[int, list[View]] = defaultdict(list)
    for row in rows:
        found[row.shard].append(
            {"attempt": row.attempt, "code": row.code, "detail": row.detail, "at": row.at}
        )
    return found
