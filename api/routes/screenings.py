"""Screenings: every path from somebody's interest to a request's partner, to be read or drawn."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from sharing.records import requests, screening_views
from sharing.stages import Role

router = APIRouter(prefix="/v1", tags=["conflict"], route_class=GuardedRoute)

SEES_WHO = frozenset({Role.CONFLICT_OFFICER, Role.AUDITOR})


@router.get("/requests/{request_id}/screening", name="requests.screening")
async def show(request_id: str, call: Call) -> Response:
    """What screening finds now: matches with their paths, and names that are only alike. Who it is
    about, the conflict officer and the auditor see."""
    who = call.principal.role in SEES_WHO

    def query(session: Session) -> screening_views.View:
        return screening_views.screening_view(session, requests.get(session, request_id), who=who)

    return json_answer(await call.read(query))


@router.get("/interests/screening", name="interests.screening")
async def everything(call: Call) -> Response:
    """What screening finds now around all requests that are open or were released: matches, and
    names that are only alike, those first that nobody ruled on."""
    return json_answer(await call.read(screening_views.all_around))
