"""Coming in and going out. Every way of signing in ends in `opened`: that of a one-time link, and
that of an identity provider, whose answer becomes such a link (`provider`)."""

from datetime import timedelta

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.auth import SESSION_COOKIE, demand_same_origin
from api.backend import Backend
from api.oidc import OUT
from api.pages import refusals
from api.pages.frame import HEADERS, page
from api.pages.provider import provider_of
from sharing.errors import Refused
from sharing.records import parties, sign_ins
from sharing.records.unit import Unit

SESSION = timedelta(hours=12)
USED = "This link was used before, or is too old. Ask for a new one."


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    app.add_api_route("/sign-in/{code}", _offer, include_in_schema=False)
    app.add_api_route("/sign-in/{code}", _redeem, methods=["POST"], include_in_schema=False)
    app.add_api_route("/sign-out", _leave, methods=["POST"], include_in_schema=False)
    app.add_api_route(OUT, _left, include_in_schema=False)


async def _offer(code: str) -> Response:
    """Only a button: a mail program that looks at links in advance must not use the code up."""
    return page("sign_in.html", 200)


async def _redeem(code: str, request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        if {"origin", "sec-fetch-site"} & set(request.headers):  # else it is no browser
            demand_same_origin(request)
        before = request.cookies.get(SESSION_COOKIE, "")
        session = await backend.database.write(lambda unit: _session(unit, code, before))
    except Refused as refused:
        return await refusals.shown(None, refused, ())
    if session is None:
        return page("welcome.html", 410, told=USED, provider=backend.settings.oidc_issuer)
    backend.doorkeeper.forget()
    return opened(session)


def opened(session: str) -> Response:
    """Goes to the first page with a new session, whatever the browser brought before."""
    answer = RedirectResponse("/", 303, HEADERS)
    answer.set_cookie(
        SESSION_COOKIE,
        session,
        max_age=int(SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=True,
    )
    return answer


async def _leave(request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        demand_same_origin(request)
    except Refused as refused:
        return await refusals.shown(None, refused, ())
    session = request.cookies.get(SESSION_COOKIE, "")
    by_provider = await backend.database.write(lambda unit: _end(unit, session))
    backend.doorkeeper.forget()
    answer = await _gone(request, by_provider)
    answer.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def _gone(request: Request, by_provider: bool) -> Response:
    """Off to the first page; or, who came by the provider, to where one signs out there too. By a
    page of ours, for a form of ours is sent nowhere else."""
    there = await provider_of(request).way_out() if by_provider and _has_one(request) else None
    if there is None:
        return RedirectResponse("/", 303, HEADERS)
    return page("signed_out.html", 200, there=there)


async def _left(request: Request) -> Response:
    """Back from the provider, or come by by chance: it says where one is, and changes nothing."""
    settings = request.app.state.backend.settings
    return page("welcome.html", 200, told="", provider=settings.oidc_issuer)


def _has_one(request: Request) -> bool:
    return bool(request.app.state.backend.settings.oidc_issuer)


def _session(unit: Unit, code: str, before: str) -> str | None:
    """A new session; the one that the browser had until now ends with it. None, and a note of it,
    for a link that signs nobody in any more."""
    token = sign_ins.redeem(unit.session, code, SESSION)
    if token is None:
        spent = sign_ins.spent(unit.session, code)
        if spent is not None:  # a link that somebody was faster with is worth knowing of
            unit.audit(spent.holder, "refused.sign_in.link", code=spent.code)
    else:
        _end(unit, before)
        unit.session.flush()
        who = parties.principal(unit.session, token)
        unit.audit(who.id if who else "unknown", "session.opened")
    return token


def _end(unit: Unit, session: str) -> bool:
    """Ends a session; True where one ended that the provider had opened."""
    ended = parties.revoke_token(unit.session, session) if session else None
    if ended is None:
        return False
    unit.audit(ended, "session.ended")
    return parties.came_by_provider(unit.session, session)
