"""What counsel does with an agreement, on its page: adds a term, and makes the link by which a
signatory without an account accepts it."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from api.pages.acts import back_to, made, tried
from api.pages.ask_form import number
from api.pages.doors import Visit, hang
from api.pages.own_agreement import shown
from api.routes import acceptance_links, agreements
from api.routes.acceptance_links import NewLink
from api.routes.agreements import NewTerm


def add_to(app: FastAPI) -> None:
    """Hangs the acts into the application, each under the name of its call."""
    own = "/requests/{request_id}/agreement"
    hang(app, f"{own}/terms", "agreements.add", _add, "POST")
    hang(app, f"{own}/links", "agreements.link", _link, "POST")


async def _add(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]

    async def act() -> Response:
        given = {name: visit.sent(name) or None for name in ("kind", "action", "text")}
        named = visit.sent("agreement_digest")
        body = made(NewTerm, **given, due=_due(visit), agreement_digest=named)
        await agreements.add(request_id, body, visit.call)
        return back_to(f"/requests/{request_id}/agreement", "term_added")

    return await tried(visit, "agreements.add", act, lambda s, e: shown(visit, s, _by_field(e)))


def _due(visit: Visit) -> dict[str, Any] | None:
    """When a duty is due, as the call takes it; None where no number was typed."""
    count = number(visit.sent("due"))
    return None if count is None else {visit.sent("span"): count, "after": visit.sent("after")}


def _by_field(errors: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by field of the form: it has one for whatever is wrong with when it is due."""
    return {"due" if path.startswith("due.") else path: words for path, words in errors.items()}


async def _link(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]

    async def act() -> Response:
        given = {name: visit.sent(name) or None for name in ("name", "email")}
        body = made(NewLink, **given, days=number(visit.sent("days")))
        answer = await acceptance_links.create(request_id, body, visit.call)
        return await shown(visit, 201, link=acceptance_links.url_of(answer))

    return await tried(visit, "agreements.link", act, lambda s, e: shown(visit, s, e))
