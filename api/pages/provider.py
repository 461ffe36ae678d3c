"""Signing in by an identity provider: there, back, and on as one of one's own roles.

What comes back shows who somebody is. A page of ours then offers the roles that our records have
for that person, as one-time links: from there on it is signing in as ever (`sign_in`)."""

import base64
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import timedelta

from fastapi import FastAPI
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.backend import Backend
from api.guard import demand_plain
from api.oidc import Attempt, Claims, Provider
from api.pages import refusals
from api.pages.frame import HEADERS, page
from sharing.errors import Refused
from sharing.records import parties, provider_answers, sign_ins
from sharing.records.parties import Person
from sharing.records.unit import Unit
from sharing.stages import STAFF, Role

# Lax, as nothing else is: it has to come along when the provider sends somebody back to us.
COOKIE = "__Host-clearance_provider"
LASTS, TO_CHOOSE = 600, timedelta(minutes=5)
ACTION = "refused.sign_in.provider"
TOO_LATE = "More than ten minutes have passed, or it was begun in another browser."


class NotLetIn(Exception):
    """A refusal of somebody whom we know, for the log to name."""

    def __init__(self, person: Person, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.person, self.refused = person.id, refused


@dataclass(frozen=True, slots=True)
class Way:
    """One way on: a role of somebody's, and the one-time code that opens a session in it."""

    role: Role
    code: str


def add_to(app: FastAPI) -> None:
    """Hangs it into the application, before the links whose address looks alike."""
    app.add_api_route("/sign-in/provider", _begin, include_in_schema=False)
    app.add_api_route("/sign-in/provider/answer", _answer, include_in_schema=False)


async def _begin(request: Request) -> Response:
    """Off to the provider. Nothing is recorded yet: the browser keeps what it will be known by."""
    backend: Backend = request.app.state.backend
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, time.time())
    try:
        address = await provider_of(request).address(attempt)
    except Exception as failure:
        return await refusals.shown(None, failure, ())
    answer = RedirectResponse(address, 303, HEADERS)
    sealed = _sealed(backend, attempt)
    answer.set_cookie(
        COOKIE, sealed, max_age=LASTS, path="/", httponly=True, samesite="lax", secure=True
    )
    return answer


async def _answer(request: Request) -> Response:
    """Back from the provider. Whatever goes wrong is in the log, and told as what it is."""
    backend: Backend = request.app.state.backend
    begun = _opened(backend, request.cookies.get(COOKIE, ""))
    try:
        demand_plain(request)
        provider = provider_of(request)
        attempt = await _attempt(request, backend, begun)
        claims = await provider.claims(request.query_params["code"], attempt)
        who, ways = await backend.database.write(lambda unit: _known(unit, claims, backend))
        answer = page("provider.html", 200, name=who, ways=ways)
    except Exception as failure:
        answer = await _failed(backend, begun, failure)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


async def _failed(backend: Backend, begun: Attempt | None, failure: Exception) -> Response:
    """Notes why, once for each attempt that began here. What answers none is noise, of which
    strangers could make any amount, and the log keeps everything for good."""
    about = "unknown"
    if isinstance(failure, NotLetIn):
        about, failure = failure.person, failure.refused
    if isinstance(failure, Refused) and begun is not None:
        code, state = failure.code, begun.state

        def note(unit: Unit) -> None:
            if provider_answers.take(unit, f"{code} {state}"):
                unit.audit(about, ACTION, code=code)

        await backend.database.write(note)
    return await refusals.shown(None, failure, ())


async def _attempt(request: Request, backend: Backend, attempt: Attempt | None) -> Attempt:
    """The attempt that this answers, which is used up with it; raises Refused."""
    given = request.query_params
    if attempt is None or not 0 <= time.time() - attempt.began <= LASTS:
        raise Refused("sign_in_expired", TOO_LATE)
    # Some providers leave the state out of a no. That opens nothing, so it may be told as one.
    state = given.get("state", attempt.state if "error" in given else "")
    if not hmac.compare_digest(state.encode(), attempt.state.encode()):
        raise Refused("sign_in_forged", "This answer belongs to an attempt of somebody else.")
    if given.get("iss", backend.settings.oidc_issuer) != backend.settings.oidc_issuer:
        raise Refused("sign_in_issuer", "Another provider answered than the one that was asked.")
    if not await backend.database.write(lambda u: provider_answers.take(u, attempt.state)):
        raise Refused("sign_in_replayed", "This answer was used before.")
    if "code" not in given:
        raise Refused("sign_in_denied", "The provider did not sign you in, or you said no there.")
    return attempt


def _known(unit: Unit, claims: Claims, backend: Backend) -> tuple[str, list[Way]]:
    """Who that is here, and the roles that they may go on in; raises Refused. Nobody is put on
    record by signing in."""
    person = _person(unit.session, claims, backend.settings.oidc_claim)
    roles = sorted(parties.roles_of(unit.session, person.id) & STAFF)
    if not roles:
        refused = Refused("sign_in_no_role", "You are on record here, without any role now.")
        raise NotLetIn(person, refused)
    ways = [
        Way(role, sign_ins.issue_by_provider(unit.session, role, TO_CHOOSE, person.id))
        for role in roles
    ]
    unit.audit(person.id, "sign_in.issued", holder=person.id, roles=[str(r) for r in roles])
    return person.name, ways


def _person(session: Session, claims: Claims, claim: str) -> Person:
    """The person whom a claim names: by e-mail address, if the provider has made sure that it is
    theirs; by another claim that holds their id or address here."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise Refused("sign_in_unknown", f"The provider did not say who you are ({claim}).")
    find = parties.person_at if claim == "email" else parties.person_named
    person = find(session, value)
    if person is None:
        raise Refused("sign_in_unknown", "The provider knows you; here nobody is on record as you.")
    if claim == "email" and claims.get("email_verified") is not True:
        refused = Refused("sign_in_unverified", "The provider has not made sure of your address.")
        raise NotLetIn(person, refused)
    return person


def provider_of(request: Request) -> Provider:
    """The provider of the settings; raises Refused where there is none."""
    state, settings = request.app.state, request.app.state.backend.settings
    if not settings.oidc_issuer:
        raise Refused("no_provider", "People come in here by one-time links.")
    known: Provider | None = getattr(state, "provider", None)
    if known is None or known.settings is not settings:
        known = state.provider = Provider(settings)
    return known


def _sealed(backend: Backend, attempt: Attempt) -> str:
    """An attempt as the browser keeps it, so that it cannot be made by anybody but us."""
    payload = base64.urlsafe_b64encode(json.dumps(asdict(attempt)).encode()).decode()
    return f"{payload}.{backend.derived('provider', payload).hex()}"


def _opened(backend: Backend, sealed: str) -> Attempt | None:
    payload, _, mark = sealed.partition(".")
    if not hmac.compare_digest(mark.encode(), backend.derived("provider", payload).hex().encode()):
        return None
    return Attempt(**json.loads(base64.urlsafe_b64decode(payload)))
