"""Canaries: objects that show nobody, drawn for one export each and delivered among the others.
Whoever finds one elsewhere knows from whom it came."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.exports import ExportShard
from sharing.records.unit import Unit


class Canary(SQLModel, table=True):
    """One canary, under the name of its object and the pseudonym of a subject that is nobody."""

    __tablename__ = "canary"
    export_id: str = Field(primary_key=True, foreign_key="export.id")
    name: str = Field(primary_key=True)
    shard: int
    bytes: int = Field(sa_type=BigInteger)
    sha256: str = Field(index=True)
    subject_pseudonym: str
    at: datetime


def keep(unit: Unit, rows: Sequence[Canary]) -> None:
    """Records canaries before they are written anywhere; the same again changes nothing."""
    for row in rows:
        if unit.session.get(Canary, (row.export_id, row.name)) is None:
            unit.session.add(row)


def are_in(session: Session, export_id: str) -> bool:
    """True if what an export packed holds canaries."""
    statement = (
        select(Canary.name)
        .join(
            ExportShard,
            (col(ExportShard.export_id) == col(Canary.export_id))
            & (col(ExportShard.number) == col(Canary.shard)),
        )
        .where(Canary.export_id == export_id, ExportShard.objects > 0)
    )
    return session.exec(statement.limit(1)).first() is not None


def by_digest(session: Session, sha256: str) -> list[Canary]:
    """The canaries with that content: one, unless two exports drew alike."""
    return list(
        session.exec(select(Canary).where(Canary.sha256 == sha256).order_by(Canary.export_id))
    )


def subjects_of(session: Session, export_id: str) -> dict[str, str]:
    """(pseudonym of its subject by its name) of each canary of an export."""
    rows = session.exec(select(Canary).where(Canary.export_id == export_id))
    return {row.name: row.subject_pseudonym for row in rows}
