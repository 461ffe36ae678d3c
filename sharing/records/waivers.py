"""Waivers: the disinterested people's permission not to step aside for one interest."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.accounts import accounts, human
from sharing.records.tables import now

PEOPLE_NEEDED = 2


class Waiver(SQLModel, table=True):
    """Asked for: that one person may act on one request in spite of one interest. It is worth
    nothing until two people without an interest have agreed."""

    __tablename__ = "waiver"
    __table_args__ = (
        UniqueConstraint("request_id", "person_id", "interest_id", name="uq_waiver_request_id"),
    )
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    person_id: str = Field(foreign_key="person.id")
    interest_id: str = Field(foreign_key="interest.id")
    reason: str
    asked_by: str = Field(foreign_key="person.id")
    at: datetime


class WaiverApproval(SQLModel, table=True):
    """One disinterested person agrees to a waiver."""

    __tablename__ = "waiver_approval"
    waiver_id: str = Field(primary_key=True, foreign_key="waiver.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    reason: str
    at: datetime


def agree(session: Session, waiver_id: str, person_id: str, reason: str) -> bool:
    """One more person agrees; False where that person did before."""
    if session.get(WaiverApproval, (waiver_id, person_id)) is not None:
        return False
    session.add(WaiverApproval(waiver_id=waiver_id, person_id=person_id, reason=reason, at=now()))
    session.flush()
    return True


def approvals(session: Session, waiver_id: str) -> list[WaiverApproval]:
    """Who agreed, in order."""
    return list(
        session.exec(
            select(WaiverApproval)
            .where(WaiverApproval.waiver_id == waiver_id)
            .order_by(col(WaiverApproval.at))
        )
    )


def of_request(session: Session, request_id: str) -> list[Waiver]:
    """Every waiver ever asked for on a request, oldest first."""
    return list(
        session.exec(select(Waiver).where(Waiver.request_id == request_id).order_by(col(Waiver.at)))
    )


def waived(session: Session, request_id: str, interested: frozenset[str]) -> set[tuple[str, str]]:
    """Pairs of person and interest for which a waiver stands: two people are behind it, neither of
    them the person it is for nor, to this day, one of the `interested` (every account of those)."""
    rows = session.exec(
        select(Waiver.person_id, Waiver.interest_id, WaiverApproval.person_id)
        .join(WaiverApproval, col(WaiverApproval.waiver_id) == Waiver.id)
        .where(Waiver.request_id == request_id)
    )
    behind: dict[tuple[str, str], set[str]] = defaultdict(set)
    for person, interest, by in rows:
        if by not in interested | accounts(session, person):
            behind[person, interest].add(human(session, by))
    return {pair for pair, people in behind.items() if len(people) >= PEOPLE_NEEDED}
