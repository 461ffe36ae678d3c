"""Claims: who says that they will decide at a gate, or was asked to. A claim decides nothing, and
keeps nobody from deciding: it spares two people the same reading.

Somebody's own claim is good for two working days and then lapses, so that a gate is not held up by
somebody who is ill. What was assigned stays until it is released or assigned to somebody else.
"""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.errors import Refused
from sharing.records.requests import Request
from sharing.records.tables import new_id, now
from sharing.stages import Stage


class Claim(SQLModel, table=True):
    """One person has a gate in hand. `assigned_by`: where others asked for it; `until`: when it
    lapses; `ended_at`: since when it is released, or somebody else's."""

    __tablename__ = "claim"
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    digest: str = Field(foreign_key="revision.digest")
    stage: str
    person_id: str = Field(foreign_key="person.id")
    assigned_by: str | None = None
    at: datetime
    until: datetime | None = None
    ended_at: datetime | None = None


def current(session: Session, request: Request, stage: str) -> Claim | None:
    """Who has a gate of the current digest in hand now, if anybody has."""
    rows = session.exec(
        select(Claim)
        .where(
            Claim.request_id == request.id,
            Claim.digest == request.digest,
            Claim.stage == stage,
            col(Claim.ended_at).is_(None),
        )
        .order_by(col(Claim.at).desc())
    )
    return next((row for row in rows if row.until is None or row.until > now()), None)


def claim(session: Session, request: Request, stage: Stage, person: str, until: datetime) -> Claim:
    """Takes a gate in hand; somebody's own claim begins anew. Raises Refused `claimed` where
    somebody else has it."""
    held = current(session, request, stage)
    if held is not None and held.person_id != person:
        lapses = f" until {held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
        raise Refused(
            "claimed",
            f"{held.person_id} has {stage} in hand{lapses}. You may decide all the same, or have "
            "it assigned to you.",
        )
    if held is not None and held.assigned_by is not None:
        return held
    return _take(session, request, stage, person, until=until)


def assign(session: Session, request: Request, stage: Stage, person: str, by: str) -> Claim:
    """Gives a gate into somebody's hands, whoever had it before."""
    return _take(session, request, stage, person, by=by)


def release(session: Session, request: Request, stage: Stage) -> Claim | None:
    """Nobody has the gate in hand any more; returns the claim that ended."""
    held = current(session, request, stage)
    if held is not None:
        held.ended_at = now()
    return held


def _take(
    session: Session,
    request: Request,
    stage: Stage,
    person: str,
    *,
    until: datetime | None = None,
    by: str | None = None,
) -> Claim:
    release(session, request, stage)
    row = Claim(
        id=new_id("clm"),
        request_id=request.id,
        digest=request.digest,
        stage=stage,
        person_id=person,
        assigned_by=by,
        at=now(),
        until=until,
    )
    session.add(row)
    session.flush()
    return row
