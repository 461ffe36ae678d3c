"""The first page: who I am, what waits for me, what is under way."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlmodel import Session, col, select
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from api.auth import LOG_READERS
from api.backend import Backend
from api.pages.doors import Visit, let_in, signed_out
from api.pages.frame import HEADERS, HERE, page
from api.pages.light import OwnPage
from api.pages.rooms import ROOMS
from sharing.records import export_list
from sharing.records import inbox as inboxes
from sharing.records.inbox import Inbox, Sought
from sharing.records.parties import Partner
from sharing.records.requests import Request as RequestRow
from sharing.records.upkeep import upkeep
from sharing.stages import STAFF, Role

RECENT, FIRST = 15, 5
ELSEWHERE = {Role.PARTNER: "/requests", Role.SUBJECT: "/my-data"}


def add_to(app: FastAPI) -> None:
    """Hangs every page for people into the application."""
    app.mount("/static", GZipMiddleware(StaticFiles(directory=HERE / "static")), name="static")
    app.router.routes.extend(_routes())


@cache
def _routes() -> list[BaseRoute]:
    """Looked at once a process: to take an endpoint apart costs a millisecond, and there are a
    hundred. They know their application by the request."""
    pages = FastAPI(openapi_url=None)
    pages.router.add_api_route("/", _front, include_in_schema=False, route_class_override=OwnPage)
    for noun in ROOMS:
        noun.add_to(pages)
    return pages.router.routes


async def _front(request: Request) -> Response:
    """The first page, or the way in."""
    backend: Backend = request.app.state.backend
    if await backend.doorkeeper.known(request) is None:
        return signed_out(request, 200)
    return await let_in(request, "pages.home", _home)


async def _home(visit: Visit) -> Response:
    if visit.role in ELSEWHERE:
        return RedirectResponse(ELSEWHERE[visit.role], 303, HEADERS)
    return page("home.html", 200, visit=visit, **await visit.call.read(lambda s: _mine(s, visit)))


def _mine(session: Session, visit: Visit) -> dict[str, Any]:
    recent = select(RequestRow, Partner.name).join(Partner)
    recent = recent.order_by(col(RequestRow.submitted_at).desc()).limit(RECENT)
    kept = visit.role in LOG_READERS
    return {
        "requests": session.exec(recent).all(),
        "inbox": _waiting(session, visit),
        "runs": export_list.counts(session) if visit.role is Role.ENGINEER else None,
        "upkeep": upkeep(session, visit.call.principal.person_id or "") if kept else None,
    }


def _waiting(session: Session, visit: Visit) -> Inbox | None:
    if visit.role not in STAFF:
        return None
    return inboxes.inbox(session, visit.call.actor(session), visit.role, Sought(), FIRST)
