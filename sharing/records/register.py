"""The register of interests: who has stated what, until when that is good, and who is reminded."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Field, Session, SQLModel, col, func, select

from sharing.errors import bad_field
from sharing.records import interests, statements
from sharing.records.parties import Person, RoleGrant, held_at
from sharing.records.statements import INTERESTS, NOTHING, YEAR, RegisterDeclaration, Statement
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import STAFF

DUE_WITHIN = timedelta(days=30)
REMIND_AGAIN = timedelta(days=7)
REMINDER = "system:register"


class RegisterReminder(SQLModel, table=True):
    """A day on which somebody was reminded that their statement runs out, or has."""

    __tablename__ = "register_reminder"
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    day: date = Field(primary_key=True)


class Standing(StrEnum):
    """How somebody stands in the register. `due`: the statement runs out within 30 days."""

    NONE = "none"
    VALID = "valid"
    DUE = "due"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Stated:
    """A person with their last statement, if they made any."""

    person_id: str
    name: str
    last: RegisterDeclaration | None

    def stands(self, at: datetime) -> Standing:
        """How this person stands at a moment."""
        if self.last is None:
            return Standing.NONE
        if self.last.valid_until <= at:
            return Standing.LAPSED
        return Standing.DUE if self.last.valid_until <= at + DUE_WITHIN else Standing.VALID


def affirm(unit: Unit, person_id: str, lasting: timedelta = YEAR) -> Statement:
    """A person's own statement, as of now: that the interests on record are all there are, or that
    there are none."""
    known = interests.held(unit.session, person_id)
    statement = INTERESTS if known else NOTHING
    row = statements.state(unit, person_id, statement, lasting)
    unit.audit(person_id, "register.declared", declaration=row.id, statement=row.statement)
    unit.tell("register.declared", row.id, person=person_id, statement=row.statement)
    return row


def declare(unit: Unit, person_id: str, *, nothing: bool, lasting: timedelta = YEAR) -> Statement:
    """The same, where it agrees with the interests on record; raises Refused where not."""
    known = interests.held(unit.session, person_id)
    if nothing and known:
        named = ", ".join(one.id for one in known)
        raise bad_field(
            "nothing_to_declare",
            f"must be false: {named} of yours stands in the register. What has ended is ended "
            "at `POST /v1/interests/{interest_id}/end`.",
        )
    if not nothing and not known:
        raise bad_field(
            "nothing_to_declare",
            "must be true: no interest of yours stands in the register. Declare each one first, at "
            "`POST /v1/interests`.",
        )
    return affirm(unit, person_id, lasting)


def everybody(
    session: Session, after: str, limit: int, only: str | None = None, within: str = ""
) -> list[Stated]:
    """People inside with their last statement, by id, behind `after`; `only` one person's, where
    given; `within`: only those who stand so."""
    last = (
        select(RegisterDeclaration.person_id, func.max(RegisterDeclaration.at).label("at"))
        .group_by(RegisterDeclaration.person_id)
        .subquery()
    )
    statement = (
        select(Person.id, Person.name, RegisterDeclaration)
        .outerjoin(last, last.c.person_id == Person.id)
        .outerjoin(
            RegisterDeclaration,
            (col(RegisterDeclaration.person_id) == last.c.person_id)
            & (col(RegisterDeclaration.at) == last.c.at),
        )
        .where(col(Person.id) > after, col(Person.partner_id).is_(None))
        .order_by(Person.id)
    )
    at = now()
    if only is None:
        statement = statement.where(col(Person.id).in_(_inside(at)))
    else:
        statement = statement.where(Person.id == only)
    until, soon = col(RegisterDeclaration.valid_until), at + DUE_WITHIN
    wanted = {
        Standing.NONE: until.is_(None),
        Standing.VALID: until > soon,
        Standing.DUE: (until > at) & (until <= soon),
        Standing.LAPSED: until <= at,
    }
    if within:
        statement = statement.where(wanted[Standing(within)])
    return [Stated(*row) for row in session.exec(statement.limit(limit))]


def remind(unit: Unit) -> list[str]:
    """Tells everybody whose statement runs out within 30 days, or has, once in 7 days; returns who
    was told. Somebody who never made one is not reminded: their first decision makes it."""
    at = now()
    lately = set(
        unit.session.exec(
            select(RegisterReminder.person_id).where(
                col(RegisterReminder.day) > (at - REMIND_AGAIN).date()
            )
        )
    )
    waiting = [
        one
        for within in (Standing.DUE, Standing.LAPSED)
        for one in everybody(unit.session, "", 1_000_000, within=within)
        if one.person_id not in lately
    ]
    for one in waiting:
        unit.session.add(RegisterReminder(person_id=one.person_id, day=at.date()))
        standing = str(one.stands(at))
        unit.audit(REMINDER, "register.reminder", person=one.person_id, standing=standing)
        unit.tell("register.reminder", one.person_id, standing=standing)
    return [one.person_id for one in waiting]


def _inside(at: datetime) -> Any:
    return select(RoleGrant.person_id).where(col(RoleGrant.role).in_(STAFF), held_at(at))
