"""Duties: what a partner owes for what it received."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from sharing.records import duties

router = APIRouter(prefix="/v1/duties", tags=["agreements"], route_class=GuardedRoute)


@router.get("", name="duties.list")
async def listed(call: Call) -> Response:
    """By date over all that was delivered; what is due once it happens; and what was recalled."""
    return json_answer(await call.read(lambda s: duties.of_partner(s, call.partner_id or "")))
