"""The shards of an export, one by one: how each stands, at which attempt, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, or_, select

from sharing.records import shard_failures
from sharing.records.exports import Export, ExportShard
from sharing.stages import ExportState

View = dict[str, Any]


class ShardState(StrEnum):
    """Where a shard stands. `stopped`: begun, and not under way now, for the export is paused or
    has ended."""

    TO_COME = "to_come"
    UNDER_WAY = "under_way"
    STOPPED = "stopped"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard without what it holds: `attempts` were begun, each with its own files."""

    number: int
    first: int
    last: int
    attempts: int
    objects: int
    bytes: int
    excluded: dict[str, int]
    committed_at: datetime | None

    def state(self, export: Export) -> ShardState:
        """How it stands, as its export does."""
        if self.committed_at is not None:
            return ShardState.COMMITTED
        if not self.attempts:
            return ShardState.TO_COME
        going = export.state == ExportState.RUNNING and export.paused_at is None
        return ShardState.UNDER_WAY if going else ShardState.STOPPED


_COLUMNS = (
    ExportShard.number, ExportShard.first, ExportShard.last, ExportShard.fence,
    ExportShard.objects, ExportShard.bytes, ExportShard.excluded, ExportShard.committed_at,
)  # fmt: skip


def every(session: Session, export_id: str) -> list[Shard]:
    """All shards in order."""
    return _found(session, ExportShard.export_id == export_id)


def page(session: Session, export: Export, after: int, limit: int) -> list[View]:
    """Shards behind a number, in order."""
    behind = (ExportShard.export_id == export.id, col(ExportShard.number) > after)
    return _views(session, export, _found(session, *behind, limit=limit))


def notable(session: Session, export: Export, limit: int) -> list[View]:
    """Shards that are begun and not committed, or took more than one attempt."""
    begun = (col(ExportShard.fence) > 0) & col(ExportShard.committed_at).is_(None)
    wanted = (ExportShard.export_id == export.id, or_(begun, col(ExportShard.fence) > 1))
    return _views(session, export, _found(session, *wanted, limit=limit))


def _views(session: Session, export: Export, shards: Sequence[Shard]) -> list[View]:
    failed = shard_failures.of(session, export.id, [one.number for one in shards])
    return [_view(one, export, failed.get(one.number, [])) for one in shards]


def _view(shard: Shard, export: Export, failures: list[View]) -> View:
    """A shard as it is told. `first` and `last` are positions in the dataset's index; `failures`:
    attempts that came to nothing, with their causes."""
    return {
        "shard": shard.number,
        "state": shard.state(export),
        "attempts": shard.attempts,
        "first": shard.first,
        "last": shard.last,
        "objects": shard.objects,
        "bytes": shard.bytes,
        "excluded": shard.excluded,
        "committed_at": shard.committed_at,
        "failures": failures,
    }


def _found(session: Session, *wanted: Any, limit: int | None = None) -> list[Shard]:
    statement = select(*_COLUMNS).where(*wanted)  # type: ignore[call-overload]
    rows: Sequence[Any] = session.execute(statement.order_by(ExportShard.number).limit(limit)).all()
    return [Shard(*row) for row in rows]
