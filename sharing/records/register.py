"""The register of interests: each person's dated statement, good for a year."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records import interests
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit

YEAR = timedelta(days=365)


class RegisterDeclaration(SQLModel, table=True):
    """A person's statement that what the register says of them is all there is: `nothing`, or
    `interests` that are declared beside it. It runs out."""

    __tablename__ = "register_declaration"
    __table_args__ = (
        CheckConstraint("statement IN ('nothing', 'interests')", name="statement"),
        CheckConstraint("valid_until > at", name="validity"),
    )
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    statement: str
    at: datetime
    valid_until: datetime


class PressureNote(SQLModel, table=True):
    """Somebody says that they were leaned on. Conflict officers and auditors alone read it, and it
    can't be deleted."""

    __tablename__ = "pressure_note"
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    author_id: str = Field(foreign_key="person.id")
    text: str
    at: datetime


def declare(
    session: Session, person_id: str, statement: str, lasting: timedelta
) -> RegisterDeclaration:
    """Records a statement as of now."""
    at = now()
    row = RegisterDeclaration(
        id=new_id("rgd"),
        person_id=person_id,
        statement=statement,
        at=at,
        valid_until=at + lasting,
    )
    session.add(row)
    session.flush()
    return row


def latest(session: Session, person_id: str) -> RegisterDeclaration | None:
    """A person's last statement, still good or not."""
    return session.exec(
        select(RegisterDeclaration)
        .where(RegisterDeclaration.person_id == person_id)
        .order_by(col(RegisterDeclaration.at).desc())
        .limit(1)
    ).first()


def holds(session: Session, person_id: str) -> bool:
    """True while a person's last statement is good."""
    last = latest(session, person_id)
    return last is not None and last.valid_until > now()


def affirm(unit: Unit, person_id: str, lasting: timedelta = YEAR) -> RegisterDeclaration:
    """A person's own statement, as of now: that the interests on record are all there are, or that
    there are none."""
    known = interests.held(unit.session, person_id)
    row = declare(unit.session, person_id, "interests" if known else "nothing", lasting)
    unit.audit(person_id, "register.declared", declaration=row.id, statement=row.statement)
    unit.tell("register.declared", row.id, person=person_id, statement=row.statement)
    return row
