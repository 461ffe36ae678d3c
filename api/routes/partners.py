"""Partners: the organisations that ask."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import AgeRecipient, Body, Lei, Line, Share
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.conflict import Organisation
from sharing.fields import RecipientClass
from sharing.records import parties
from sharing.records.parties import Partner, PartnerParent
from sharing.records.unit import Unit
from sharing.rulebook import Risk

router = APIRouter(prefix="/v1/partners", tags=["parties"], route_class=GuardedRoute)


class Parent(Body):
    """An organisation that owns the partner or a part of it; `share` is a fraction of 1."""

    name: Line
    lei: Lei | None = None
    share: Share | None = None


class NewPartner(Body):
    """An organisation that may ask. With an `age_recipient`, its packages are encrypted to it.
    Consents to a `recipient_class` reach it if it is of that class; there is no way to change it:
    what people said yes to would be widened behind their backs. A policy may ask more of a partner
    by its `risk`: low, standard or high."""

    name: Line
    lei: Lei | None = None
    parents: Annotated[tuple[Parent, ...], Field(max_length=100)] = ()
    age_recipient: AgeRecipient | None = None
    recipient_class: RecipientClass | None = None
    risk: Risk = Risk.STANDARD


@router.post("", name="partners.create", status_code=201)
async def create(body: NewPartner, call: Call) -> Response:
    """Adds a partner."""

    def work(unit: Unit) -> Json:
        parents = [(Organisation(p.name, p.lei), p.share) for p in body.parents]
        partner = parties.add_partner(
            unit.session,
            body.name,
            body.lei,
            parents,
            body.age_recipient,
            body.recipient_class,
            body.risk,
        )
        unit.session.flush()
        known = {
            "partner": partner.id,
            "recipient_class": partner.recipient_class,
            "risk": partner.risk,
        }
        unit.audit(call.principal.id, "partner.added", **known)
        unit.tell("partner.added", partner.id, partner_id=partner.id)
        return _view(unit.session, partner)

    return await call.create(work)


@router.get("", name="partners.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """All partners, in the order of their ids."""
    after = decoded(cursor, (str,)) or [""]

    def query(session: Session) -> list[Json]:
        rows = session.exec(
            select(Partner).where(col(Partner.id) > after[0]).order_by(Partner.id).limit(limit + 1)
        )
        return [_view(session, partner) for partner in rows.all()]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


def _view(session: Session, partner: Partner) -> Json:
    parents = session.exec(
        select(PartnerParent)
        .where(PartnerParent.partner_id == partner.id)
        .order_by(col(PartnerParent.number))
    )
    return {
        "id": partner.id,
        "name": partner.name,
        "lei": partner.lei,
        "parents": [{"name": p.name, "lei": p.lei, "share": p.share} for p in parents],
        "age_recipient": partner.age_recipient,
        "recipient_class": partner.recipient_class,
        "risk": partner.risk,
        "created_at": partner.created_at,
    }
