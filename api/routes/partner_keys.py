"""The keys with which a partner's signatories sign agreements. Only an admin registers one, after
having made sure by other means whose it is."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from sqlmodel import Session
from starlette.responses import Response

from api.answers import page
from api.dependencies import Call
from api.fields import Body, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import NotFound, Refused
from sharing.keys import KeyProblem, public_key, public_text
from sharing.records import partner_keys
from sharing.records.parties import Partner
from sharing.records.partner_keys import PartnerKey
from sharing.records.tables import now
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/partners", tags=["parties"], route_class=GuardedRoute)


def _key(value: str) -> str:
    try:
        return public_text(public_key(value))
    except (KeyProblem, ValueError):
        raise ValueError(
            "must be the public half of an Ed25519 key: base64 of its 32 raw bytes."
        ) from None


class NewKey(Body):
    """A public key, and the name of the signatory who has its other half."""

    key: Annotated[str, Field(max_length=100), AfterValidator(_key)]
    signatory: Line


@router.post("/{partner_id}/keys", name="partner_keys.create", status_code=201)
async def create(partner_id: str, body: NewKey, call: Call) -> Response:
    """Registers a signatory's key: what it signs from now on binds the partner."""

    def work(unit: Unit) -> Json:
        if unit.session.get(Partner, partner_id) is None:
            raise NotFound("partner", partner_id)
        if partner_keys.registered(unit.session, body.key) is not None:
            raise Refused("exists", "This key was registered before: each is registered once.")
        row = partner_keys.add(
            unit.session, partner_id, body.key, body.signatory, call.principal.id
        )
        told = {"partner": partner_id, "key": row.id}
        unit.audit(call.principal.id, "partner_key.registered", **told)
        unit.tell("partner_key.registered", row.id, partner_id=partner_id)
        return _view(row)

    return await call.create(work)


@router.get("/{partner_id}/keys", name="partner_keys.list")
async def listed(partner_id: str, call: Call) -> Response:
    """Every key that was registered for a partner, ended ones too."""

    def query(session: Session) -> list[Json]:
        other = call.partner_id not in (None, partner_id)
        if other or session.get(Partner, partner_id) is None:
            raise NotFound("partner", partner_id)
        return [_view(row) for row in partner_keys.of(session, partner_id)]

    return page(await call.read(query), None)


@router.post("/{partner_id}/keys/{key_id}/revoke", name="partner_keys.revoke")
async def revoke(partner_id: str, key_id: str, call: Call) -> Response:
    """Ends a key: it signs nothing any more. What it signed before stands."""

    def work(unit: Unit) -> Json:
        row = unit.session.get(PartnerKey, key_id, with_for_update=True)
        if row is None or row.partner_id != partner_id:
            raise NotFound("key", key_id)
        if row.revoked_at is None:
            row.revoked_at = now()
            told = {"partner": partner_id, "key": row.id}
            unit.audit(call.principal.id, "partner_key.revoked", **told)
            unit.tell("partner_key.revoked", row.id, partner_id=partner_id)
        return _view(row)

    return await call.create(work, 200)


def _view(row: PartnerKey) -> Json:
    return {
        "id": row.id,
        "partner": row.partner_id,
        "key": row.key,
        "signatory": row.signatory,
        "added_at": row.added_at,
        "revoked_at": row.revoked_at,
    }
