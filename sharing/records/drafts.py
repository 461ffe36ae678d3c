"""Drafts: what a partner has not submitted yet, as far as it got. Nobody else ever sees one, so a
draft tells no event; that there is one, and when it went, is in the log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, func, or_, select

from sharing.errors import NotFound, Refused
from sharing.records.parties import Partner
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit

MOST = 50
View = dict[str, Any]


class Draft(SQLModel, table=True):
    """A request in the making. `body`: that of a request, with whatever is there so far."""

    __tablename__ = "draft"
    id: str = Field(primary_key=True)
    partner_id: str = Field(foreign_key="partner.id", index=True)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    made_at: datetime
    changed_at: datetime


def add(unit: Unit, partner_id: str, body: Mapping[str, Any]) -> Draft:
    """A new draft; raises Refused where there are as many as there may be."""
    unit.session.get_one(Partner, partner_id, with_for_update=True)  # one at a time
    mine = select(func.count()).where(Draft.partner_id == partner_id)
    if unit.session.exec(mine).one() >= MOST:
        raise Refused(
            "limit_reached", f"There are {MOST} drafts, as many as are kept: delete one first."
        )
    at = now()
    row = Draft(id=new_id("dra"), partner_id=partner_id, body=dict(body), made_at=at, changed_at=at)
    unit.session.add(row)
    unit.audit(partner_id, "draft.kept", draft=row.id)
    return row


def get(session: Session, partner_id: str, draft_id: str, *, hold: bool = False) -> Draft:
    """A partner's own draft; another's is as good as absent."""
    row = session.get(Draft, draft_id, with_for_update=hold or None)
    if row is None or row.partner_id != partner_id:
        raise NotFound("draft", draft_id)
    return row


def replace(unit: Unit, partner_id: str, draft_id: str, body: Mapping[str, Any]) -> Draft:
    """Keeps a draft as it is now in the place of what it was."""
    row = get(unit.session, partner_id, draft_id, hold=True)
    row.body, row.changed_at = dict(body), now()
    unit.session.add(row)
    unit.audit(partner_id, "draft.kept", draft=row.id)
    return row


def delete(unit: Unit, partner_id: str, draft_id: str) -> None:
    """Deletes a draft for good."""
    unit.session.delete(get(unit.session, partner_id, draft_id, hold=True))
    unit.audit(partner_id, "draft.deleted", draft=draft_id)


def of(
    session: Session, partner_id: str, limit: int, after: tuple[datetime, str] | None = None
) -> list[Draft]:
    """A partner's drafts, the one last changed first."""
    rows = select(Draft).where(Draft.partner_id == partner_id)
    if after is not None:
        earlier = (col(Draft.changed_at) == after[0]) & (col(Draft.id) < after[1])
        rows = rows.where(or_(col(Draft.changed_at) < after[0], earlier))
    order = (col(Draft.changed_at).desc(), col(Draft.id).desc())
    return list(session.exec(rows.order_by(*order).limit(limit)))


def shown(row: Draft) -> View:
    """A draft as its partner has it."""
    return {
        "id": row.id,
        "title": row.body.get("title"),
        "body": row.body,
        "made_at": row.made_at,
        "changed_at": row.changed_at,
    }
