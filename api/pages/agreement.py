"""The page behind a one-time link: a signatory, who has no account, reads the agreement and accepts
it. What is kept as evidence is what was shown, to whom, when, and by which program."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.auth import demand_same_origin
from api.backend import Backend
from api.pages import refusals
from api.pages.frame import page
from api.pages.light import PublicPage
from api.problems import PROBLEMS
from sharing.acceptance import Method
from sharing.agreement import readable
from sharing.errors import Refused
from sharing.orders import Order, Verb, signed
from sharing.records import acceptance_links, acceptances, agreements, requests
from sharing.records.acceptance_links import AcceptanceLink
from sharing.records.parties import Partner
from sharing.records.tables import now, rfc3339
from sharing.stages import Stage
from workflows.client import EngineUnreachable

LONGEST_FORM = 10_000


@dataclass(frozen=True, slots=True)
class Offer:
    """An agreement as the page shows it, and the link by which it may be accepted."""

    link: AcceptanceLink
    partner_id: str
    partner: str
    title: str
    text: str


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    light: dict[str, Any] = {"include_in_schema": False, "route_class_override": PublicPage}
    app.router.add_api_route("/agreement/{code}", _show, **light)
    app.router.add_api_route("/agreement/{code}", _accept, methods=["POST"], **light)


async def _show(code: str, request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        offer = await backend.database.read(lambda session: _offered(session, code))
    except Refused as refused:
        return _said(refused)
    return page("agreement.html", 200, offer=offer, said="", done=False)


async def _accept(code: str, request: Request) -> Response:
    backend: Backend = request.app.state.backend
    try:
        if {"origin", "sec-fetch-site"} & set(request.headers):  # else it is no browser
            demand_same_origin(request)
        named = await _named(request)
        offer = await backend.database.read(lambda session: _offered(session, code))
    except Refused as refused:
        return _said(refused)
    try:
        if named != offer.link.agreement_digest:
            raise Refused("stale_digest", "This is not the agreement that the link is for.")
        await backend.engine.tell(signed(_order(backend, offer, request), backend.signer))
    except Refused as refused:
        await _log(backend, offer, refused.code)
        return _said(refused)
    except EngineUnreachable as failure:
        return await refusals.shown(None, failure, ())
    return page("agreement.html", 200, offer=offer, said="", done=True)


def _offered(session: Session, code: str) -> Offer:
    """What the link is for; raises Refused where it can no longer be accepted."""
    link = acceptance_links.opened(session, code)
    request = requests.get(session, link.request_id)
    partner = session.get_one(Partner, request.partner_id)
    acceptances.demand_acceptable(session, request, partner.id, link.digest, link.agreement_digest)
    text = readable(agreements.terms(session, agreements.current(session, request)))
    return Offer(link, partner.id, partner.name, request.title, text)


def _order(backend: Backend, offer: Offer, request: Request) -> Order:
    """The same order for the same link, however often the button is pressed."""
    agent = request.headers.get("user-agent", "")
    body = {
        "stage": str(Stage.LEGAL_APPROVAL),
        "agreement": offer.link.agreement_digest,
        "method": str(Method.LINK),
        "link": offer.link.id,
        "text_sha256": _sha256(offer.text),
        "agent_sha256": _sha256(agent),
    }
    return Order(
        backend.derived_id("acc", "link", offer.link.id),
        Verb.ACCEPT,
        offer.link.request_id,
        offer.partner_id,
        rfc3339(now()),
        offer.link.digest,
        body,
    )


async def _named(request: Request) -> str:
    """The digest that the form was made with."""
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > LONGEST_FORM:
            raise Refused("body_too_large", "The form is longer than any that this page makes.")
    return (parse_qs(sent.decode("ascii", "replace")).get("digest") or [""])[0]


async def _log(backend: Backend, offer: Offer, code: str) -> None:
    link = offer.link
    await backend.database.write(
        lambda unit: unit.audit(
            offer.partner_id, "refused.agreements.accept", link.request_id, code=code, link=link.id
        )
    )


def _said(refused: Refused) -> Response:
    status, _ = PROBLEMS.get(refused.code, (409, ""))
    return page("agreement.html", status, offer=None, said=refused.detail, done=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
