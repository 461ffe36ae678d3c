"""Signing in by a link, and a first page: who I am, what waits for me, what is under way."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.auth import SESSION_COOKIE, demand_same_origin
from api.backend import Backend
from api.problems import told
from sharing.eligibility import Actor
from sharing.errors import Refused
from sharing.records import parties, reviews
from sharing.records.parties import Partner, Person, Principal
from sharing.records.requests import Request as RequestRow
from sharing.records.reviews import STAGES
from sharing.records.unit import Unit
from sharing.stages import Role

HERE = Path(__file__).parent
SESSION = timedelta(hours=12)
RECENT = 20
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["words"] = lambda name: str(name).replace("_", " ")
_templates.filters["day"] = lambda at: at.strftime("%-d %B %Y, %H:%M UTC") if at else ""


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_api_route("/", _home, include_in_schema=False)
    app.add_api_route("/sign-in/{code}", _offer, include_in_schema=False)
    app.add_api_route("/sign-in/{code}", _redeem, methods=["POST"], include_in_schema=False)
    app.add_api_route("/sign-out", _leave, methods=["POST"], include_in_schema=False)


async def _home(request: Request) -> Response:
    backend: Backend = request.app.state.backend
    me = await backend.doorkeeper.known(request)
    if me is None:
        return page("welcome.html", 200, told="")
    return page("home.html", 200, **await backend.database.read(lambda s: _mine(s, me)))


async def _offer(code: str) -> Response:
    """Only a button: a mail program that looks at links in advance must not use the code up."""
    return page("sign_in.html", 200)


async def _redeem(code: str, request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        if {"origin", "sec-fetch-site"} & set(request.headers):  # else it is no browser
            demand_same_origin(request)
        session = await backend.database.write(lambda unit: _session(unit, code))
    except Refused as refused:
        return told(refused)
    if session is None:
        words = "This link was used before, or is too old. Ask for a new one."
        return page("welcome.html", 410, told=words)
    answer = RedirectResponse("/", 303, HEADERS)
    answer.set_cookie(
        SESSION_COOKIE,
        session,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


async def _leave(request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        demand_same_origin(request)
    except Refused as refused:
        return told(refused)
    session = request.cookies.get(SESSION_COOKIE, "")
    await backend.database.write(lambda unit: _end_session(unit, session))
    backend.doorkeeper.forget()
    answer = RedirectResponse("/", 303, HEADERS)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def _session(unit: Unit, code: str) -> str | None:
    token = parties.redeem_sign_in(unit.session, code, SESSION)
    if token is not None:
        unit.session.flush()
        who = parties.principal(unit.session, token)
        unit.audit(who.id if who else "unknown", "session.opened")
    return token


def _end_session(unit: Unit, session: str) -> None:
    ended = parties.revoke_token(unit.session, session)
    if ended is not None:
        unit.audit(ended, "session.ended")


def _mine(session: Session, me: Principal) -> dict[str, Any]:
    person = session.get(Person, me.person_id) if me.person_id else None
    partner = session.get(Partner, me.partner_id) if me.partner_id else None
    recent = select(RequestRow).order_by(col(RequestRow.submitted_at).desc()).limit(RECENT)
    if me.role is Role.PARTNER:
        recent = recent.where(RequestRow.partner_id == me.partner_id)
    waiting = []
    if person is not None and (me.role in STAGES or me.role is Role.ENGINEER):
        actor = Actor(person.id, frozenset({me.role}), person.partner_id)
        waiting = reviews.waiting(session, actor, me.role, RECENT, "")
    shown = person or partner
    rows = session.exec(recent).all() if me.role is not Role.SUBJECT else []
    return {
        "name": shown.name if shown else me.id,
        "role": me.role,
        "partner": partner,
        "waiting": waiting,
        "reviews": me.role in STAGES or me.role is Role.ENGINEER,
        "requests": [(row, session.get_one(Partner, row.partner_id).name) for row in rows],
    }


def page(template: str, status: int, **values: Any) -> Response:
    """A page for people, with the headers that all of ours have."""
    return HTMLResponse(_templates.get_template(template).render(**values), status, HEADERS)
