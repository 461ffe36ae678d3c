"""Exports: runs, their shards, what could not be read, and the release that makes bytes leave."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    text,
)
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.errors import NotFound, Refused
from sharing.records import clearances, requests
from sharing.records.places import Bits
from sharing.records.requests import Request
from sharing.records.tables import Position, now
from sharing.stages import LIVE_EXPORTS, ExportState, RequestState, Stage

ENGINEER_RECUSED = "engineer_recused"
_LIVE = text("state IN ({})".format(", ".join(f"'{state}'" for state in sorted(LIVE_EXPORTS))))


class Export(SQLModel, table=True):
    """One run for one digest. At most one is live for a request and digest (I18).

    `fence` rises with every takeover; a release that names an older one is refused (I19).
    `paused_at` stands beside `state`, and the database releases nothing while it is set.
    """

    __tablename__ = "export"
    __table_args__ = (
        Index(
            "uq_export_live",
            "request_id",
            "digest",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        CheckConstraint("priority BETWEEN 1 AND 5", name="priority"),
        CheckConstraint("limit_bytes_per_second > 0", name="limit"),
        CheckConstraint("(paused_by IS NULL) = (paused_at IS NULL)", name="pause"),
    )
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    digest: str
    state: str
    needs_confirmation: bool
    triggered_by: str = Field(foreign_key="person.id")
    triggered_at: datetime
    confirmed_by: str | None = Field(default=None, foreign_key="person.id")
    confirmed_at: datetime | None = None
    fence: int = 0
    total: int = 0
    shards: int | None = None
    excluded: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    stages: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}")
    )
    code: str | None = None
    detail: str | None = None
    location: str | None = None
    ended_at: datetime | None = None
    # How it is steered: see records.steering.
    priority: int = 3
    limit_bytes_per_second: int | None = Field(default=None, sa_type=BigInteger)
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_seconds: float = 0.0
    planned_at: datetime | None = None
    scope_bytes: int | None = Field(default=None, sa_type=BigInteger)
    needs_bytes: int | None = Field(default=None, sa_type=BigInteger)
    erased_files: int | None = Field(default=None, sa_type=BigInteger)
    erased_bytes: int | None = Field(default=None, sa_type=BigInteger)
    erased_at: datetime | None = None


class ExportShard(SQLModel, table=True):
    """A run of index positions, both ends included. `result` null until an attempt committed;
    `stages`: how many microseconds its attempts that committed spent on what, repeats included.

    `places`: a bit for each position, set where its object is in the shard (records.places).
    `consent_*`: the ledger position, the terms and the moment up to which what is in it may go.
    """

    __tablename__ = "export_shard"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    number: int = Field(primary_key=True)
    first: int
    last: int
    fence: int = 0
    objects: int = 0
    bytes: int = Field(default=0, sa_type=BigInteger)
    excluded: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    consent_position: int | None = Field(default=None, sa_type=Position)
    consent_until: datetime | None = None
    consent_terms: str | None = None
    places: Bits | None = Field(default=None, sa_type=LargeBinary)
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    stages: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}")
    )
    committed_at: datetime | None = None


class UnreadableObject(SQLModel, table=True):
    """An object that could not be read or cleaned, and why: for staff, never for the partner."""

    __tablename__ = "unreadable_object"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    path: str = Field(primary_key=True)
    shard: int
    detail: str


class Release(SQLModel, table=True):
    """The moment a byte leaves. A trigger re-checks the whole promise before this row commits."""

    __tablename__ = "release"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    request_id: str = Field(foreign_key="request.id")
    digest: str
    fence: int
    consent_position: int = Field(sa_type=Position)
    objects: int
    bytes: int = Field(sa_type=BigInteger)
    manifest_sha256: str
    envelope: str
    released_at: datetime


def get(session: Session, export_id: str, *, hold: bool = False) -> Export:
    """An export by id, or NotFound."""
    export = session.get(Export, export_id, with_for_update=hold or None, populate_existing=hold)
    if export is None:
        raise NotFound("export", export_id)
    return export


def live(session: Session, request_id: str, digest: str) -> Export | None:
    """The live export of a digest, if there is one."""
    return session.exec(
        select(Export).where(
            Export.request_id == request_id,
            Export.digest == digest,
            col(Export.state).in_(LIVE_EXPORTS),
        )
    ).first()


def standing(session: Session, request_id: str) -> tuple[Request, Export | None] | None:
    """A request with the export that it waits for, if there is one; None if there is no such
    request. A cancelled export is waited for until its end is recorded: its run does that."""
    request = session.get(Request, request_id)
    if request is None:
        return None
    export = live(session, request.id, request.digest)
    if export is None and request.state == RequestState.EXPORTING:
        export = of_request(session, request.id)[-1]
    return request, export


def of_request(session: Session, request_id: str) -> list[Export]:
    """A request's exports, oldest first."""
    return list(
        session.exec(
            select(Export).where(Export.request_id == request_id).order_by(col(Export.triggered_at))
        )
    )


def shards_of(session: Session, export_id: str) -> list[ExportShard]:
    """An export's shards in order."""
    return list(
        session.exec(
            select(ExportShard)
            .where(ExportShard.export_id == export_id)
            .order_by(col(ExportShard.number))
        )
    )


def unreadable(session: Session, export_id: str, limit: int) -> list[UnreadableObject]:
    """What could not be read, in path order."""
    return list(
        session.exec(
            select(UnreadableObject)
            .where(UnreadableObject.export_id == export_id)
            .order_by(UnreadableObject.path)
            .limit(limit)
        )
    )


def stop(
    export: Export, state: ExportState, code: str | None = None, detail: str | None = None
) -> None:
    """Ends a run that delivered nothing. Its fence rises, so that no attempt of it can release."""
    export.state, export.ended_at = state, now()
    export.code, export.detail = code, detail
    export.fence += 1


def spend(export: Export, spent: Mapping[str, int]) -> None:
    """Adds microseconds by stage to those of an export."""
    export.stages = dict(Counter(export.stages) + Counter(spent))


def back_to_cleared(session: Session, request: Request) -> None:
    """A run ended and its clearance stands: the request waits for an engineer again."""
    clearance = clearances.of(session, request.id, request.digest)
    request.state = RequestState.CLEARED
    requests.wait(request, Stage.EXPORT, clearance.valid_until if clearance else None)


def all_released(session: Session) -> list[Export]:
    """Every export of which bytes have left, the newest first."""
    released_at = col(Release.released_at).desc()
    statement = select(Export).join(Release, col(Release.export_id) == Export.id)
    return list(session.exec(statement.order_by(released_at)))


def released(session: Session, export_id: str) -> Release | None:
    """The release of an export, if a byte has left."""
    return session.get(Release, export_id)


def demand_running(export: Export) -> None:
    """Raises Refused where an export must not write any more."""
    if export.state == ExportState.CANCELLED:
        raise Refused("export_cancelled", "The export was cancelled.")
    if export.state != ExportState.RUNNING:
        raise Refused("wrong_state", f"The export is {export.state}.")
