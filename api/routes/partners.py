"""Partners: the organisations that ask."""

import json
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.fields import AgeRecipient, Body, Lei, Line, Share
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.conflict import Organisation
from sharing.errors import NotFound
from sharing.fields import RecipientClass
from sharing.records import parties, partner_views
from sharing.records.parties import Partner
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
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    search: Annotated[
        str, Query(max_length=200, description="Part of a name, a LEI or an id.")
    ] = "",
) -> Response:
    """All partners, in the order of their ids."""
    after = decoded(cursor, (str,)) or []
    found = await call.read(
        lambda s: partner_views.partners(s, limit + 1, search=search, after=after)
    )
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


@router.get("/{partner_id}", name="partners.show")
async def show(partner_id: str, call: Call) -> Response:
    """One partner: signatories' keys, which tokens there are, who owns it as recorded, and what it
    asked for."""
    return json_answer(await call.read(lambda s: _whole(s, partner_id)))


def _whole(session: Session, partner_id: str) -> Json:
    return partner_views.partner_view(session, named(session, partner_id))


def named(session: Session, partner_id: str) -> Partner:
    """A partner by id, or NotFound."""
    partner = session.get(Partner, partner_id)
    if partner is None:
        raise NotFound("partner", partner_id)
    return partner


def id_of(answer: Response) -> str:
    """The id in an answer that has made a partner."""
    return str(json.loads(bytes(answer.body))["id"])


def _view(session: Session, partner: Partner) -> Json:
    return partner_views.partners(session, 1, search=partner.id)[0]
