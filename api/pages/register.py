"""The public register for people, without a session; and as a feed that readers follow."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import register_words
from api.backend import Backend
from api.etags import tagged
from api.guard import demand_plain
from api.pages import refusals
from api.pages.atom import feed
from api.pages.frame import page
from api.pages.light import PublicPage
from api.routes import public_register as routes
from sharing.public_register import Outcome
from sharing.records import public_register
from sharing.records.public_register import Sought

PAGE, NEWS, LONGEST = 8, 50, 100
FIELDS = ("partner", "purpose", "outcome", "year")


def add_to(app: FastAPI) -> None:
    """Hangs the register into the application: it stands behind no door."""
    light: dict[str, Any] = {"include_in_schema": False, "route_class_override": PublicPage}
    app.router.add_api_route("/register", _listed, **light)
    app.router.add_api_route("/register.atom", _feed, **light)
    app.router.add_api_route("/register/{request_id}", _entry, **light)


async def _listed(request: Request) -> Response:
    try:
        demand_plain(request)
        query = request.query_params
        kept = {name: query[name][:LONGEST] for name in FIELDS if query.get(name)}
        sought = _sought(kept, query.get("after"))
        backend: Backend = request.app.state.backend
        values = await backend.database.read(lambda session: _page(session, sought))
    except Exception as failure:
        return await refusals.shown(None, failure, ())
    shown = page(
        "register.html",
        200,
        told=register_words,
        outcomes=list(Outcome),
        kept=kept,
        sought=sought,
        link=lambda **more: f"/register?{urlencode({**kept, **more})}",
        call=f"GET /v1/register{'?' + urlencode(kept) if kept else ''}",
        **values,
    )
    return tagged(request, shown, light=True)


def _sought(kept: dict[str, str], after: str | None) -> Sought:
    """What the address asks for; what is no outcome and no year is left out."""
    outcome, year = kept.get("outcome", ""), kept.get("year", "")
    return Sought(
        kept.get("partner", ""),
        kept.get("purpose", ""),
        Outcome(outcome) if outcome in list(Outcome) else None,
        int(year) if year.isascii() and year.isdigit() and 0 < int(year) < 9999 else None,
        routes.place(after),
    )


def _page(session: Session, sought: Sought) -> dict[str, Any]:
    return {
        "found": routes.page(session, sought, PAGE),
        "purposes": public_register.purposes(session),
        "years": public_register.years(session),
    }


async def _entry(request_id: str, request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        demand_plain(request)
        entry = await backend.database.read(lambda session: routes.entry(session, request_id))
    except Exception as failure:
        return await refusals.shown(None, failure, ())
    shown = page("register_entry.html", 200, told=register_words, e=entry)
    return tagged(request, shown, light=True)


async def _feed(request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        views = await backend.database.read(lambda session: public_register.news(session, NEWS))
    except Exception as failure:
        return await refusals.shown(None, failure, ())
    settings = backend.settings
    address = settings.api_url.rstrip("/")
    written = feed(
        [routes.told(view) for view in views],
        address,
        settings.controller or f"The operator of {address}",
        datetime(1970, 1, 1, tzinfo=UTC),
    )
    return tagged(request, Response(written, media_type="application/atom+xml"), light=True)
