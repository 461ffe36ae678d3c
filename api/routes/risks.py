"""What there is to weigh in a request, in plain words."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from sharing.records import requests, risks

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)


@router.get("/{request_id}/risks", name="risks.list")
async def listed(request_id: str, call: Call) -> Response:
    """What a yes would mean for the people in the data, the gravest first; it judges nothing."""
    found = await call.read(lambda s: risks.risks_of(s, requests.get(s, request_id)))
    return json_answer({"items": found})
