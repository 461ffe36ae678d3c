"""The door that every page stands behind: who is signed in, may their role come in, was the form
made by us; and a refusal that says why, and who can."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.auth import (
    ALLOWED,
    LOG_READERS,
    SAFE_METHODS,
    SESSION_COOKIE,
    demand_allowed,
    demand_same_origin,
)
from api.backend import Backend
from api.dependencies import Call
from api.guard import demand_plain, log_attempt
from api.idempotency import Ticket
from api.pages import refusals
from api.pages.frame import page
from api.pages.light import OwnPage
from api.pages.masks import masked, unmasked
from api.pages.record_words import RECORDED
from api.problems import MALFORMED
from sharing.errors import Refused
from sharing.records import parties
from sharing.records.parties import Principal
from sharing.stages import STAFF, Role

LONGEST_FORM = 200_000
CSRF, ONCE = "csrf", "once"

RECORD_PAGES = (
    "pages.people", "pages.person", "pages.partners", "pages.partner", "pages.datasets",
    "pages.dataset", "pages.notices", "pages.notice", "pages.organisations", "pages.organisation",
    "pages.policy", "pages.policy_version", "pages.interests",
)  # fmt: skip
LOG_PAGES = ("pages.audit", "pages.audit_entry")

# Every page by name, and the roles of which one is needed. An act is in the table of api.auth,
# under the name of the call that does the same.
PAGES: Mapping[str, frozenset[Role]] = {
    "pages.home": frozenset(Role),
    "pages.reviews": STAFF,
    "pages.request": STAFF | {Role.PARTNER},
    "pages.live": STAFF | {Role.PARTNER},
    **dict.fromkeys(
        (
            "pages.own_requests",
            "pages.ask",
            "pages.revise",
            "pages.package",
            "pages.duties",
        ),
        frozenset({Role.PARTNER}),
    ),
    "pages.own_agreement": STAFF | {Role.PARTNER},
    "pages.exports": STAFF,
    "pages.export": STAFF,
    "pages.export_live": STAFF,
    "pages.export_start": frozenset({Role.ENGINEER}),
    "pages.my_data": frozenset({Role.SUBJECT}),
    **dict.fromkeys(RECORD_PAGES, STAFF),
    **dict.fromkeys(LOG_PAGES, LOG_READERS),
    "pages.all_interests": frozenset({Role.CONFLICT_OFFICER, Role.AUDITOR}),
}

# What may stand above a page after an act: the address carries only the name.
SAID: Mapping[str, str] = {
    "approved": "Your approval is recorded.",
    "refused": "Your refusal is recorded. The request has ended.",
    "returned": "The request went back to the partner, with your reason.",
    "taken_back": "Your decision no longer counts. You may decide again.",
    "claimed": "You have this in hand now. Others can still decide.",
    "commented": "Your comment is there, for good.",
    "photos": "A few photos are shown below, among the data. That you looked is recorded.",
    "photos_away": "The photos cannot be fetched just now. Nothing else waits for them: look again "
    "in a while.",
    "released": "You no longer have this in hand.",
    "submitted": "Your request is recorded. Nothing more is needed from you now.",
    "kept": "The draft is kept. Nobody but you sees it.",
    "discarded": "The draft is deleted.",
    "revised": "The new revision is recorded. The gates begin again with it.",
    "withdrawn": "The request is withdrawn.",
    "accepted": "The agreement is accepted.",
    "term_added": "The term is added: this is a new version, and the partner has to accept it.",
    "acknowledged": "Recorded: what you received is what was released.",
    "disputed": "Recorded: what you received is not what was released. People here are told.",
    "triggered": "The export is on record.",
    "confirmed": "Your yes is recorded: the export runs.",
    "paused": "Paused. Nothing of it leaves until somebody lets it go on.",
    "resumed": "It goes on where it was.",
    "limited": "The new limit counts within a second or two.",
    "unlimited": "The limit is taken away.",
    "cancelled": "Cancelled. What was staged is being erased.",
    "consent_withdrawn": "Taken back. It counts from this moment.",
    "nothing_to_withdraw": "There was nothing left to take back: you do not allow it any more.",
    **RECORDED,
}


@dataclass(slots=True)
class Visit:
    """Somebody at a page: the call they make, their name, what they sent, and the token by which
    the forms of their session are known; `csrf` is it as it stands in this one page. `said`: what
    happened just before, in words."""

    call: Call
    name: str
    csrf: str
    token: bytes = field(repr=False)
    form: dict[str, list[str]] = field(default_factory=dict)

    @property
    def role(self) -> Role:
        """The role of this session."""
        return self.call.principal.role

    @property
    def said(self) -> str:
        """What the act before this page came to."""
        return SAID.get(self.call.query_params.get("said", ""), "")

    @property
    def path(self) -> str:
        """Where the visit is."""
        return self.call.url.path

    def sent(self, name: str) -> str:
        """One field of the form, with plain line ends."""
        return (self.form.get(name) or [""])[0].replace("\r\n", "\n").strip()

    async def note(self, name: str, refused: Refused) -> None:
        """Has a refused attempt in the audit log before it is answered."""
        if refused.code not in MALFORMED:
            call = self.call
            await log_attempt(call.backend, call, name, call.principal.id, refused)

    def once(self) -> str:
        """A name for one sending of a form: sent twice, it has one effect."""
        return secrets.token_hex(16)


Handler = Callable[[Visit], Awaitable[Response]]


def hang(app: FastAPI, path: str, name: str, handler: Handler, method: str = "GET") -> None:
    """Hangs a page, or an act of one, into the application behind the door."""
    if name not in PAGES and name not in ALLOWED:
        raise LookupError(f"{name} is neither in PAGES nor in ALLOWED.")

    async def behind_the_door(request: Request) -> Response:
        return await let_in(request, name, handler)

    app.router.add_api_route(
        path, behind_the_door, methods=[method], include_in_schema=False, name=name,
        route_class_override=OwnPage,
    )  # fmt: skip


async def let_in(request: Request, name: str, handler: Handler) -> Response:
    """What the handler answers, or a page that says why it does not."""
    backend: Backend = request.app.state.backend
    principal: Principal | None = None
    visit: Visit | None = None
    try:
        demand_plain(request)
        principal = await backend.doorkeeper.known(request)
        if principal is None:
            return signed_out(request)
        visit = await _visit(request, backend, principal)
        if request.method not in SAFE_METHODS:
            demand_same_origin(request)
            await _read_form(visit)
        _demand_role(name, principal.role)
        return await handler(visit)
    except Exception as failure:
        if request.method not in SAFE_METHODS and visit and isinstance(failure, Refused):
            await visit.note(name, failure)
        return await refusals.shown(visit, failure, _who_can(name))


def signed_out(request: Request, status: int = 401) -> Response:
    """The page for somebody whom we do not know."""
    told = "Your session has ended. Sign in again." if SESSION_COOKIE in request.cookies else ""
    backend: Backend = request.app.state.backend
    return page("welcome.html", status, told=told, provider=backend.settings.oidc_issuer)


async def visitor(request: Request) -> Visit | None:
    """Whoever is signed in, if that can be told: an address that leads nowhere keeps their menu."""
    backend: Backend = request.app.state.backend
    with suppress(Exception):  # it may be why there is no page
        principal = await backend.doorkeeper.known(request)
        return await _visit(request, backend, principal) if principal else None
    return None


async def _visit(request: Request, backend: Backend, principal: Principal) -> Visit:
    call = Call(request, backend, principal, None, b"")
    name = await backend.database.read(lambda session: _name(session, principal))
    session = request.cookies.get(SESSION_COOKIE, "")
    token = backend.derived("csrf", parties.hashed(session))
    return Visit(call, name, masked(token), token)


def _name(session: Session, principal: Principal) -> str:
    if principal.subject is not None:
        return principal.subject
    kind, key = (
        (parties.Person, principal.person_id)
        if principal.person_id
        else (parties.Partner, principal.partner_id)
    )
    row: Any = session.get(kind, key) if key else None
    return row.name if row else principal.id


async def _read_form(visit: Visit) -> None:
    """Reads the form, and raises Refused unless a page of this session made it."""
    sent = b""
    async for chunk in visit.call.stream():
        sent += chunk
        if len(sent) > LONGEST_FORM:
            raise Refused("body_too_large", "The form is longer than any that a page makes.")
    if b"\0" in sent or b"%00" in sent:  # which not every database can hold
        raise Refused("invalid_body", "The form holds a character that nobody can type (NUL).")
    visit.form = parse_qs(sent.decode("utf-8", "replace"), keep_blank_values=True)
    if not hmac.compare_digest(unmasked(visit.sent(CSRF)), visit.token):
        raise Refused(
            "cross_site",
            "This form was not made for your session: open the page again, and send it.",
        )
    if once := visit.sent(ONCE):
        said = hashlib.sha256(visit.call.url.path.encode() + sent).hexdigest()
        visit.call.ticket = Ticket(visit.call.principal.id, f"page-{once[:200]}", said)


def _demand_role(name: str, role: Role) -> None:
    if name in ALLOWED:
        demand_allowed(name, role)
    elif role not in PAGES[name]:
        raise Refused("forbidden", f"This page is not for the role {role}.")


def _who_can(name: str) -> frozenset[Role]:
    return PAGES.get(name) or ALLOWED.get(name) or frozenset()
