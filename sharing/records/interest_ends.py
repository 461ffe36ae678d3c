"""When an interest ended, or what was declared in its place. An interest itself never changes: what
is said of it later stands beside it, and what it brought about until then stays.

Nobody gets rid of an interest by their own word: what a person says of the end of their own counts
a year after they said it. What the conflict officer says of somebody else's counts at once."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.conflict import Interest
from sharing.errors import Refused, bad_field
from sharing.records.accounts import accounts
from sharing.records.organisations import chunks
from sharing.records.tables import now
from sharing.records.unit import Unit

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


def over(interest_id: Any, day: date) -> ColumnElement[bool]:
    """True of an interest, by the column of its id, that counts no more on a day."""
    said = select(InterestEnd.interest_id).where(
        InterestEnd.interest_id == interest_id, col(InterestEnd.counts_until) < day
    )
    return said.exists()


def ends(session: Session, interest_ids: Iterable[str]) -> dict[str, InterestEnd]:
    """What was said of the end of each of these."""
    return {
        row.interest_id: row
        for chunk in chunks(sorted(interest_ids))
        for row in session.exec(select(InterestEnd).where(col(InterestEnd.interest_id).in_(chunk)))
    }


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


def _counts_until(session: Session, interest: Interest, until: date | None, by: str) -> date:
    today = now().date()
    if by in accounts(session, interest.person_id):
        return today + BY_ONES_OWN_WORD
    return until or today - timedelta(days=1)
