"""Asking for data at `/requests/new`: a form with help, a look at what will be asked, drafts."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from pydantic_core import from_json
from starlette.responses import RedirectResponse, Response

from api.checking import checked
from api.idempotency import Json
from api.pages import partner_words, refusals
from api.pages.acts import back_to
from api.pages.ask_form import CHOICES, as_typed, sheet, typed
from api.pages.doors import Visit, hang
from api.pages.frame import HEADERS, page
from api.routes import checks, drafts, requests
from api.routes.requests import NewRequest
from sharing.errors import NotFound, Refused
from sharing.records import drafts as kept
from sharing.records import outlooks

NEW = "/requests/new"
PART = "x-part"  # what a script asks for: only the part beside the form
COLLECTED = frozenset({"invalid_body", "limit_reached", "not_indexed"})


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, NEW, "pages.ask", _blank)
    hang(app, f"{NEW}/submit", "requests.submit", _submit, "POST")
    hang(app, f"{NEW}/check", "requests.check", _check, "POST")
    hang(app, f"{NEW}/outlook", "requests.outlook", _outlook, "POST")
    hang(app, f"{NEW}/draft", "drafts.create", _keep, "POST")
    hang(app, "/drafts/{draft_id}/keep", "drafts.replace", _keep, "POST")
    hang(app, "/drafts/{draft_id}/delete", "drafts.delete", _delete, "POST")


async def _blank(visit: Visit) -> Response:
    draft = visit.call.query_params.get("draft", "")
    partner = visit.call.partner_id or ""
    body: Mapping[str, Any] = {}
    if draft:
        body = await visit.call.read(lambda s: kept.shown(kept.get(s, partner, draft))["body"])
    return await _shown(visit, 200, body, draft)


async def _check(visit: Visit) -> Response:
    body = typed(visit).said()
    found = await visit.call.read(lambda s: checked(s, visit.call, body))
    return await _shown(visit, 200, body, errors=found.wrong, checked=found)


async def _outlook(visit: Visit) -> Response:
    body = typed(visit)
    found = await visit.call.read(lambda s: checked(s, visit.call, body.said()))
    try:
        given = await checks.looked(visit.call, body)
    except Refused as refused:
        return await _collected(visit, "requests.outlook", refused, checked=found)
    return await _shown(visit, 200, body.said(), checked=found, outlook=given)


async def _submit(visit: Visit) -> Response:
    try:
        said = typed(visit).said()
        found = await visit.call.read(lambda s: checked(s, visit.call, said))
        if found.body is None:
            wrong = tuple(found.errors)
            raise Refused("invalid_body", "Something is missing or does not hold.", wrong)
        answer = await requests.submit(NewRequest.model_validate(said), visit.call)
    except Refused as refused:
        return await _collected(visit, "requests.submit", refused)
    await _used(visit, visit.sent("draft"))
    request_id = from_json(bytes(answer.body))["id"]
    return back_to(f"/requests/{request_id}", "submitted")


async def _used(visit: Visit, draft: str) -> None:
    """What was submitted is no draft any more."""
    if draft:
        with suppress(NotFound):
            partner = visit.call.partner_id or ""
            await visit.call.backend.database.write(lambda unit: kept.delete(unit, partner, draft))


async def _keep(visit: Visit) -> Response:
    draft = visit.call.path_params.get("draft_id", "")
    try:
        body = typed(visit)
        answer = await (
            drafts.replace(draft, body, visit.call) if draft else drafts.create(body, visit.call)
        )
    except Refused as refused:
        name = "drafts.replace" if draft else "drafts.create"
        return await _collected(visit, name, refused, draft=draft)
    draft = from_json(bytes(answer.body))["id"]
    return RedirectResponse(f"{NEW}?draft={draft}&said=kept#said", 303, HEADERS)


async def _delete(visit: Visit) -> Response:
    await drafts.delete(visit.call.path_params["draft_id"], visit.call)
    return RedirectResponse("/requests?said=discarded#said", 303, HEADERS)


async def _collected(visit: Visit, name: str, refused: Refused, **more: Any) -> Response:
    """A refusal that belongs to the form: shown there, with all that was typed."""
    if refused.code not in COLLECTED:
        raise refused
    problem = refusals.as_problem(refused)
    errors = {one["path"]: one["message"] for one in problem.get("errors", [])}
    said = "" if errors else refused.detail
    answer = await _shown(
        visit, problem["status"], as_typed(visit), errors=errors, refused=said, **more
    )
    await visit.note(name, refused)
    return answer


async def _shown(
    visit: Visit,
    status: int,
    body: Mapping[str, Any],
    draft: str = "",
    errors: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """The form, or for a script only what stands beside it."""
    partner = visit.call.partner_id or ""
    part = PART in visit.call.headers
    form = await visit.call.read(lambda s: sheet(s, body, errors, **more))
    left = await visit.call.read(lambda s: outlooks.left(s, partner))
    values: Json = {
        "sheet": form,
        "draft": draft or visit.sent("draft"),
        "left": left,
        **CHOICES,
        "sending": NEW,
        "said": partner_words,
    }
    return page("ask_seen.html" if part else "ask.html", status, visit=visit, **values)
