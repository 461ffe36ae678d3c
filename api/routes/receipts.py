"""Consent receipts: what a subject keeps, signed by a key of the API's own."""

import re

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import NOT_STORED
from api.dependencies import Call
from api.guard import GuardedRoute
from api.routes.own_consents import me
from sharing.errors import NotFound
from sharing.receipt import receipt, signed
from sharing.records import receipts
from sharing.records.tables import now

router = APIRouter(prefix="/v1/me/receipts", tags=["subject"], route_class=GuardedRoute)

_POSITION = re.compile(r"[1-9][0-9]{0,14}")


@router.get("/{position}", name="me.receipt")
async def show(position: str, call: Call) -> Response:
    """The receipt of one event about me: a DSSE envelope, to be kept byte for byte."""
    settings, mine = call.backend.settings, me(call)
    if not _POSITION.fullmatch(position):
        raise NotFound("event", position[:80])
    controller = settings.controller or f"The operator of {settings.api_url}"
    found = await call.read(
        lambda session: receipts.record(session, mine, int(position), controller)
    )
    if found is None:
        raise NotFound("event", position)
    content = receipt(found, now(), f"{settings.api_url.rstrip('/')}/v1/me/withdrawals")
    envelope = signed(content, call.backend.receipt_key)
    return Response(envelope, headers=NOT_STORED, media_type="application/json")
