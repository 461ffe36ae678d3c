"""Signs of life of an export under way: what each worker moved in each of its last seconds.

No part of what is remembered of an export: a worker overwrites its own oldest second, and what is
here is neither logged nor told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger
from sqlmodel import Field, Session, SQLModel, col, delete, select

from sharing.records.tables import now
from sharing.records.unit import Unit

PLACES = 40  # seconds that are kept of each worker: more than it takes to count as stalled
SHARDS = "shards"
HERE = timedelta(seconds=3)  # a worker that said nothing for longer makes nothing


class ExportPulse(SQLModel, table=True):
    """One second of one worker at one export. `moved_*`: what passed in it; `shards`, `objects` and
    `bytes`: what is under way and not committed yet; `limited`: a limit held it up."""

    __tablename__ = "export_pulse"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    worker: str = Field(primary_key=True)
    place: int = Field(primary_key=True)
    phase: str
    moved_objects: int = Field(sa_type=BigInteger)
    moved_bytes: int = Field(sa_type=BigInteger)
    shards: int
    objects: int = Field(sa_type=BigInteger)
    bytes: int = Field(sa_type=BigInteger)
    limited: bool
    seconds: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker has to say of one export after one more second."""

    export_id: str
    phase: str
    moved_objects: int
    moved_bytes: int
    shards: int
    objects: int
    bytes: int
    limited: bool
    seconds: float


def write(unit: Unit, worker: str, beats: Sequence[Beat], at: datetime) -> None:
    """Writes one second of a worker, in the place of what it said PLACES seconds ago."""
    place = int(at.timestamp()) % PLACES
    for beat in beats:
        unit.session.merge(
            ExportPulse(
                export_id=beat.export_id,
                worker=worker,
                place=place,
                phase=beat.phase,
                moved_objects=beat.moved_objects,
                moved_bytes=beat.moved_bytes,
                shards=beat.shards,
                objects=beat.objects,
                bytes=beat.bytes,
                limited=beat.limited,
                seconds=beat.seconds,
                at=at,
            )
        )


def of_export(session: Session, export_id: str) -> Sequence[ExportPulse]:
    """Every second that is kept of an export."""
    return session.exec(select(ExportPulse).where(ExportPulse.export_id == export_id)).all()


def workers(session: Session, export_id: str) -> int:
    """How many workers make shards of an export now."""
    named = (
        select(ExportPulse.worker)
        .where(
            ExportPulse.export_id == export_id,
            col(ExportPulse.shards) > 0,
            col(ExportPulse.at) >= now() - HERE,
        )
        .distinct()
    )
    return len(session.exec(named).all())


def forget(session: Session, export_id: str) -> None:
    """Nothing of an export is under way any more."""
    session.execute(delete(ExportPulse).where(col(ExportPulse.export_id) == export_id))
