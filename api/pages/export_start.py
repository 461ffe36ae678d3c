"""The page from which an engineer starts the export of a cleared request, after a dry run if
wanted: what would go, to whom, and who has to say yes beside them."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_core import from_json
from sqlmodel import Session
from starlette.responses import Response

from api.pages import export_words, refusals
from api.pages.acts import Errors, back_to
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.pages.steering import limit
from api.routes import dry_runs, exports
from api.routes.exports import NewExport
from api.routes.requests import own, viewer
from sharing.errors import NotEligible, Refused
from sharing.records import clearances, policies, requests, standing
from sharing.records import exports as runs
from sharing.records.datasets import named
from workflows.messages import PRIORITY

View = dict[str, Any]
PRIORITIES = {1: "1, before all others", 2: "2", 3: "3, as usual", 4: "4", 5: "5, after all others"}
HERE_AGAIN = frozenset({"stale_digest", "not_cleared", "cooling_off", "wrong_state"})


def add_to(app: FastAPI) -> None:
    """Hangs the page and its two acts into the application."""
    own_path = "/requests/{request_id}/export"
    hang(app, own_path, "pages.export_start", _offer)
    hang(app, f"{own_path}/start", "exports.trigger", _trigger, "POST")
    hang(app, f"{own_path}/dry-run", "exports.dry_run", _dry_run, "POST")


async def _offer(visit: Visit) -> Response:
    return await _shown(visit, 200)


async def _dry_run(visit: Visit) -> Response:
    answer = await dry_runs.dry_run(visit.call.path_params["request_id"], visit.call)
    return await _shown(visit, 200, found=from_json(bytes(answer.body)))


async def _trigger(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    try:
        body = NewExport(
            digest=visit.sent("digest"),
            priority=_priority(visit),
            limit_bytes_per_second=limit(visit),
        )
        answer = await exports.trigger(request_id, body, visit.call)
    except ValidationError:
        return await _shown(visit, 422, {"priority": "Choose a priority from 1 to 5."})
    except Refused as refused:
        if refused.errors:
            return await _shown(visit, 422, {e.path: e.message for e in refused.errors})
        if refused.code not in HERE_AGAIN:
            raise
        status = refusals.as_problem(refused)["status"]
        shown = await _shown(visit, status, {"top": f"Nothing was started. {refused.detail}"})
        await visit.note("exports.trigger", refused)
        return shown
    export = from_json(bytes(answer.body))
    return back_to(f"/exports/{export['id']}", "triggered")


def _priority(visit: Visit) -> int:
    sent = visit.sent("priority")
    return int(sent) if sent.isdecimal() and len(sent) == 1 else PRIORITY if not sent else 0


async def _shown(
    visit: Visit, status: int, errors: Mapping[str, str] | None = None, found: View | None = None
) -> Response:
    values = await visit.call.read(lambda session: _all(session, visit))
    return page(
        "export_start.html",
        status,
        visit=visit,
        errors=Errors(errors or {}),
        found=found,
        say=export_words,
        priorities=PRIORITIES,
        usual=PRIORITY,
        **values,
    )


def _all(session: Session, visit: Visit) -> View:
    request = own(session, visit.call, visit.call.path_params["request_id"])
    body = requests.revision_row(session, request).body
    cleared = clearances.of(session, request.id, request.digest)
    live = runs.live(session, request.id, request.digest)
    why, code = "", ""
    try:
        person = visit.call.actor(session)
        standing.demand_triggerable(session, request, person, request.digest)
    except Refused as refused:
        why = refused.detail
        code = refused.why if isinstance(refused, NotEligible) else refused.code
    return {
        "request": request,
        "body": body,
        "dataset": named(session, body["dataset"]),
        "partner": viewer(session, visit.call).name(request.partner_id),
        "until": cleared.valid_until if cleared else None,
        "two": policies.export(session, request).engineers > 1,
        "live": live,
        "why": why,
        "code": code,
    }
