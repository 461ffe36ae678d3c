"""Each person's dated statements about their interests, and until when the last one is good."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.records.rows import Rows
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit

YEAR = timedelta(days=365)
NOTHING, INTERESTS = "nothing", "interests"


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


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said of themselves `at` a moment, and until when it is good."""

    id: str
    person_id: str
    statement: str
    at: datetime
    valid_until: datetime


_RECORD = Rows(RegisterDeclaration)


def state(unit: Unit, person_id: str, statement: str, lasting: timedelta = YEAR) -> Statement:
    """Records a statement as of now."""
    at = now()
    stated = Statement(new_id("rgd"), person_id, statement, at, at + lasting)
    unit.insert(
        _RECORD,
        {
            "id": stated.id,
            "person_id": person_id,
            "statement": statement,
            "at": at,
            "valid_until": stated.valid_until,
        },
    )
    return stated


def latest(session: Session, person_id: str) -> RegisterDeclaration | None:
    """A person's last statement, still good or not."""
    return session.exec(
        select(RegisterDeclaration)
        .where(RegisterDeclaration.person_id == person_id)
        .order_by(col(RegisterDeclaration.at).desc())
        .limit(1)
    ).first()


def lapsed(session: Session, person_id: str) -> bool:
    """True where somebody made a statement once, and the last one has run out."""
    last = session.exec(
        select(RegisterDeclaration.valid_until)
        .where(RegisterDeclaration.person_id == person_id)
        .order_by(col(RegisterDeclaration.at).desc())
        .limit(1)
    ).first()
    return last is not None and last <= now()
