"""The agreement of a request: as people inside and its partner read it, as the partner accepts it
by a signature, and what counsel may do with it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import ValidationError
from sqlmodel import Session
from starlette.responses import Response

from api.pages import refusals
from api.pages.acts import Errors, back_to
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.problems import field_errors
from api.routes import agreements
from api.routes.agreements import NewAcceptance
from api.routes.requests import own
from sharing.agreement import Kind
from sharing.errors import Refused
from sharing.records import acceptances, partner_keys, standing
from sharing.records.agreement_views import agreement_view
from sharing.records.requests import Request
from sharing.stages import Role

HERE_AGAIN = frozenset({"wrong_signature", "stale_digest", "invalid_body"})


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/requests/{request_id}/agreement", "pages.own_agreement", _read)
    hang(app, "/requests/{request_id}/accept", "agreements.accept", _accept, "POST")


async def _read(visit: Visit) -> Response:
    return await shown(visit, 200)


async def _accept(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    said = {"digest": visit.sent("digest"), "key": visit.sent("key") or None}
    said["signature"] = "".join((visit.sent("signature") or "").split())
    try:
        body = NewAcceptance.model_validate(said)
    except ValidationError as invalid:
        wrong = {one.path: one.message for one in field_errors(invalid, NewAcceptance)}
        return await shown(visit, 422, {n: f"The {n} {words}" for n, words in wrong.items()})
    try:
        await agreements.accept(request_id, body, visit.call)
    except Refused as refused:
        if refused.code not in HERE_AGAIN:
            raise
        status = refusals.as_problem(refused)["status"]
        answer = await shown(visit, status, {"signature": refused.detail})
        await visit.note("agreements.accept", refused)
        return answer
    return back_to(f"/requests/{request_id}", "accepted")


async def shown(
    visit: Visit, status: int, errors: Mapping[str, str] | None = None, link: str = ""
) -> Response:
    """The agreement; with `errors`, what was sent is still in the form. `link` was made just now,
    and is shown this once."""
    values = await visit.call.read(lambda session: _all(session, visit))
    said = {"errors": Errors(errors or {}), "link": link}
    return page("own_agreement.html", status, visit=visit, **said, **values)


def _all(session: Session, visit: Visit) -> dict[str, Any]:
    request = own(session, visit.call, visit.call.path_params["request_id"])
    agreement = agreement_view(session, request, inside=visit.call.partner_id is None)
    accepting = (request.partner_id, request.digest, agreement["digest"])
    keys = partner_keys.of(session, request.partner_id)
    return {
        "r": request,
        "of_partner": visit.call.partner_id is not None,
        "agreement": agreement,
        "open": _may(acceptances.demand_acceptable, session, request, *accepting),
        **_for_counsel(session, visit, request, agreement),
        "keys": [one for one in keys if one.revoked_at is None],
    }


def _for_counsel(
    session: Session, visit: Visit, request: Request, agreement: Mapping[str, Any]
) -> dict[str, Any]:
    """What counsel may do with this version, and the words that its terms act by."""
    acts = {"addable": standing.demand_addable, "linkable": standing.demand_linkable}
    if visit.role is not Role.LEGAL_COUNSEL:
        return dict.fromkeys((*acts, "actions"))
    asked = (session, request, visit.call.actor(session), agreement["digest"])
    terms = [term for kind in Kind for term in agreement[kind.plural]]
    return {
        **{name: _may(demand, *asked) for name, demand in acts.items()},
        "actions": sorted({term["action"] for term in terms}),
    }


def _may(demand: Callable[..., object], *asked: object) -> bool:
    """True if that is not refused now."""
    try:
        demand(*asked)
    except Refused:
        return False
    return True
