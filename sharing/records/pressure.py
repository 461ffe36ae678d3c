"""Notes of people who were leaned on: for conflict officers and auditors, and kept for ever."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.tables import new_id, now
from sharing.records.unit import Unit


class PressureNote(SQLModel, table=True):
    """Somebody says that they were leaned on. Conflict officers and auditors alone read it, and it
    can't be deleted."""

    __tablename__ = "pressure_note"
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    author_id: str = Field(foreign_key="person.id")
    text: str
    at: datetime


def add(unit: Unit, request_id: str, author_id: str, text: str) -> PressureNote:
    """Keeps a note. The log says that there is one, not what it says; no event tells of it, for
    everybody inside reads events, and among them may be who leaned."""
    row = PressureNote(
        id=new_id("prn"), request_id=request_id, author_id=author_id, text=text, at=now()
    )
    unit.session.add(row)
    unit.session.flush()
    unit.audit(author_id, "pressure.noted", request_id, note=row.id)
    return row


def page(session: Session, request_id: str, after: str, limit: int) -> list[PressureNote]:
    """A request's notes behind an id, by id."""
    return list(
        session.exec(
            select(PressureNote)
            .where(PressureNote.request_id == request_id, col(PressureNote.id) > after)
            .order_by(PressureNote.id)
            .limit(limit)
        )
    )
