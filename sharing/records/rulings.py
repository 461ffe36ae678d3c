"""What conflict officers said of names that are only alike. A later word overrules an earlier one;
none is ever taken out."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.organisations import chunks
from sharing.records.tables import Position, now


class Said(StrEnum):
    """Whether the two are one organisation."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class NameRuling(SQLModel, table=True):
    """What was said of the organisation of one interest and one of the graph."""

    __tablename__ = "name_ruling"
    __table_args__ = (
        CheckConstraint("ruling IN ('confirmed', 'dismissed')", name="ruling"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )
    interest_id: str = Field(primary_key=True, foreign_key="interest.id")
    organisation_id: int = Field(primary_key=True, sa_type=Position, foreign_key="organisation.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    ruling: str
    reason: str
    ruled_by: str = Field(foreign_key="person.id")
    ruled_at: datetime


Pair = tuple[str, int]  # interest, organisation


def rule(session: Session, pair: Pair, said: Said, reason: str, by: str) -> NameRuling:
    """Keeps a ruling on a pair, behind those that were there."""
    before = [one for one in _of(session, [pair[0]]) if one.organisation_id == pair[1]]
    row = NameRuling(
        interest_id=pair[0],
        organisation_id=pair[1],
        number=len(before) + 1,
        ruling=said,
        reason=reason,
        ruled_by=by,
        ruled_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def standing(session: Session, interest_ids: Iterable[str] | None) -> dict[Pair, NameRuling]:
    """The last word on each pair; on all there are, with None."""
    every = session.exec(select(NameRuling)) if interest_ids is None else _of(session, interest_ids)
    found = sorted(every, key=lambda one: one.number)
    return {(one.interest_id, one.organisation_id): one for one in found}


def _of(session: Session, interest_ids: Iterable[str]) -> list[NameRuling]:
    return [
        row
        for chunk in chunks(sorted(interest_ids))
        for row in session.exec(select(NameRuling).where(col(NameRuling.interest_id).in_(chunk)))
    ]
