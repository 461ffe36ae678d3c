"""When an interest ended, or what was declared in its place. An interest itself never changes: what
is said of it later stands beside it, and what it brought about until then stays.

Nobody gets rid of an interest by their own word: what a person says of the end of their own counts
a year after they said it, unless a conflict officer confirms it before. What the conflict officer
says of somebody else's counts at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, or_
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.conflict import Interest
from sharing.eligibility import Actor
from sharing.errors import Refused, bad_field
from sharing.records.accounts import accounts
from sharing.records.organisations import chunks
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role

BY_ONES_OWN_WORD = timedelta(days=365)


class InterestEnd(SQLModel, table=True):
    """What was said: `until`, its last day; or which one was declared in its place. It is looked at
    until `counts_until`, that day included."""

    __tablename__ = "interest_end"
    __table_args__ = (
        CheckConstraint("until IS NOT NULL OR replaced_by IS NOT NULL", name="how"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )
    interest_id: str = Field(primary_key=True, foreign_key="interest.id")
    until: date | None = None
    replaced_by: str | None = Field(default=None, foreign_key="interest.id")
    counts_until: date
    reason: str
    said_by: str = Field(foreign_key="person.id")
    at: datetime


class InterestEndConfirmation(SQLModel, table=True):
    """A conflict officer who is somebody else says that it holds: it is looked at until
    `counts_until` of this row then."""

    __tablename__ = "interest_end_confirmation"
    __table_args__ = (CheckConstraint("length(reason) > 0", name="reason"),)
    interest_id: str = Field(primary_key=True, foreign_key="interest_end.interest_id")
    counts_until: date
    reason: str
    confirmed_by: str = Field(foreign_key="person.id")
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What was said of an end, and the confirmation of it, if there is one."""

    said: InterestEnd
    confirmed: InterestEndConfirmation | None = None

    @property
    def counts_until(self) -> date:
        """The last day on which the interest is looked at."""
        return (self.confirmed or self.said).counts_until

    @property
    def to_confirm(self) -> bool:
        """True while the interest counts by its holder's own word alone."""
        return self.confirmed is None and self.said.counts_until > now().date()


def over(interest_id: Any, day: date) -> ColumnElement[bool]:
    """True of an interest, by the column of its id, that counts no more on a day."""
    said, confirmed = (
        select(kind.interest_id)
        .where(kind.interest_id == interest_id, col(kind.counts_until) < day)
        .exists()
        for kind in (InterestEnd, InterestEndConfirmation)
    )
    return or_(said, confirmed)


def waiting(interest_id: Any) -> ColumnElement[bool]:
    """True of an interest, by the column of its id, whose end is to be confirmed (`to_confirm`)."""
    confirmed = select(InterestEndConfirmation.interest_id).where(
        InterestEndConfirmation.interest_id == InterestEnd.interest_id
    )
    said = select(InterestEnd.interest_id).where(
        InterestEnd.interest_id == interest_id,
        col(InterestEnd.counts_until) > now().date(),
        ~confirmed.exists(),
    )
    return said.exists()


def ends(session: Session, interest_ids: Iterable[str]) -> dict[str, Ended]:
    """What was said of the end of each of these."""
    found: dict[str, Ended] = {}
    for chunk in chunks(sorted(interest_ids)):
        rows = session.exec(
            select(InterestEnd, InterestEndConfirmation)
            .join(
                InterestEndConfirmation,
                col(InterestEndConfirmation.interest_id) == InterestEnd.interest_id,
                isouter=True,
            )
            .where(col(InterestEnd.interest_id).in_(chunk))
        )
        found |= {said.interest_id: Ended(said, confirmed) for said, confirmed in rows}
    return found


def end(
    unit: Unit,
    interest: Interest,
    until: date | None,
    reason: str,
    by: str,
    replaced_by: str | None = None,
) -> InterestEnd:
    """Says when an interest ended, or which one was declared in its place; once, and for good."""
    if unit.session.get(InterestEnd, interest.id) is not None:
        raise Refused("wrong_state", "The end of this interest is on record already.")
    if until is not None and until < interest.since:
        raise bad_field("until", f"must not be before it began, which was {interest.since}.")
    if until is not None and until > now().date():
        raise bad_field("until", "must not be in the future: say it when it has ended.")
    row = InterestEnd(
        interest_id=interest.id,
        until=until,
        replaced_by=replaced_by,
        counts_until=_counts_until(unit.session, interest, until, by),
        reason=reason,
        said_by=by,
        at=now(),
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def confirm(unit: Unit, interest: Interest, reason: str, by: Actor) -> Ended:
    """Confirms what somebody said of the end of their own interest: it counts at once. Once, and
    for good; never by the person, whoever of their accounts it is, nor by who acts for them."""
    ended = ends(unit.session, [interest.id]).get(interest.id)
    if ended is None:
        raise Refused("wrong_state", "Nobody has said that this interest ended: say it first.")
    if not ended.to_confirm:
        raise Refused("wrong_state", "There is nothing to confirm: its end counts already.")
    if by.people(frozenset({Role.CONFLICT_OFFICER})) & accounts(unit.session, interest.person_id):
        raise Refused(
            "four_eyes",
            "Nobody confirms the end of an interest of their own, or of whom they act for: ask "
            "another conflict officer.",
        )
    row = InterestEndConfirmation(
        interest_id=interest.id,
        counts_until=ended.said.until or now().date() - timedelta(days=1),
        reason=reason,
        confirmed_by=by.id,
        at=now(),
    )
    unit.session.add(row)
    unit.session.flush()
    return Ended(ended.said, row)


def _counts_until(session: Session, interest: Interest, until: date | None, by: str) -> date:
    today = now().date()
    if by in accounts(session, interest.person_id):
        return today + BY_ONES_OWN_WORD
    return until or today - timedelta(days=1)
