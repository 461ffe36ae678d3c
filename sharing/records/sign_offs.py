"""The sign-off at gate 3: that the screening was read, who is recused, and who replaces them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel

from sharing.errors import bad_field
from sharing.records.accounts import human
from sharing.records.interests import recused_from
from sharing.records.parties import Person


class SignOff(SQLModel, table=True):
    """What a conflict officer signed beside a decision: that the screening was read, and this."""

    __tablename__ = "sign_off"
    decision_id: str = Field(primary_key=True, foreign_key="decision.id")
    recused: list[str] = Field(sa_column=Column(JSON, nullable=False))
    replaced_by: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))


def demand_true(session: Session, request_id: str, signed: Mapping[str, Any]) -> None:
    """Raises Refused, naming what differs, unless exactly those are named who are recused from the
    request now, and whoever replaces one of them is a person here who is not."""
    recused = recused_from(session, request_id)
    named: Sequence[str] = signed["recused"]
    for one in named:
        if one not in recused:
            raise bad_field("sign_off.recused", f"{one} is not recused from this request.")
    left = {human(session, one) for one in recused} - {human(session, one) for one in named}
    if left:
        raise bad_field("sign_off.recused", f"must also name {', '.join(sorted(left))}.")
    for one, other in signed["replaced_by"].items():
        path = f"sign_off.replaced_by.{one}"
        if one not in named:
            raise bad_field(path, "only who is recused is replaced: name them in `recused`.")
        person = session.get(Person, other)
        if person is None or person.partner_id is not None:
            raise bad_field(path, f"there is no person inside {other!r}: give an id.")
        if other in recused:
            raise bad_field(path, f"{other} is recused too: name somebody else.")


def to_name(session: Session, request_id: str) -> list[str]:
    """Whom a sign-off must name as of now: everybody who is recused, each by one account."""
    return sorted({human(session, one) for one in recused_from(session, request_id)})


def keep(session: Session, decision_id: str, signed: Mapping[str, Any]) -> None:
    """Keeps what was signed beside a decision."""
    session.add(
        SignOff(
            decision_id=decision_id,
            recused=list(signed["recused"]),
            replaced_by=dict(signed["replaced_by"]),
        )
    )
    session.flush()
