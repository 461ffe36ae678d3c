"""Acknowledgements: the partner says what it received, by its own digest of the manifest."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, count
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.exports import own_export
from sharing.acceptance import demand_signature
from sharing.records import acknowledgements, partner_keys
from sharing.records.acknowledgements import Received, to_sign
from sharing.records.export_views import said
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=GuardedRoute)

MANY = 1 << 53  # the last whole number that JSON carries everywhere
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class NewAcknowledgement(Body):
    """`manifest_sha256`: of `manifest.parquet`, as you computed it; with the rows that it has and
    the bytes that they add up to, if you say them. `signature`: base64 of an Ed25519 signature of
    the three lines `clearance-acknowledgement-v1`, export and digest, each with its line end, by a
    key that is registered for you."""

    manifest_sha256: Sha256
    objects: Annotated[int, count(0, MANY)] | None = None
    bytes: Annotated[int, count(0, MANY)] | None = None
    signature: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@router.post("/{export_id}/acknowledgements", name="exports.acknowledge", status_code=201)
async def acknowledge(export_id: str, body: NewAcknowledgement, call: Call) -> Response:
    """Says what was received. `outcome` is `acknowledged`, or `disputed` where that is not what was
    released: either is recorded, once and for good."""
    received = Received(body.manifest_sha256, body.objects, body.bytes)

    def work(unit: Unit) -> Json:
        request, export = own_export(unit.session, call, export_id)
        acknowledgements.delivered(unit.session, export)
        signed = _signed(unit.session, request.partner_id, export.id, body)
        row = acknowledgements.record(unit, export, request.partner_id, received, signed)
        return {"export": export.id, **said(row)}

    return await call.create(work)


def _signed(
    session: Session, partner_id: str, export_id: str, body: NewAcknowledgement
) -> tuple[str, str] | None:
    """The id of the key that signed, and its signature; raises Refused where none of ours did."""
    if body.signature is None:
        return None
    keys = partner_keys.signing(session, partner_id)
    message = to_sign(export_id, body.manifest_sha256)
    what = f"acknowledgement. What is to be signed is {message!r}"
    key = demand_signature(keys, body.signature, message, what)
    return key, body.signature
