"""Changing a request: the form with what was there, what the checks said at each answer, and what
changes, which is shown before it can be sent."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.checking import checked
from api.pages import partner_words, refusals
from api.pages.acts import back_to
from api.pages.ask_form import CHOICES, as_typed, sheet, typed
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.pages.own_request import remarks, said_of_fields, sent_back
from api.routes import comments, requests
from api.routes.requests import Change, NewRequest, own, viewer
from sharing.errors import Refused
from sharing.foresight import FIELD_OF
from sharing.records import lookback, standing
from sharing.records.requests import revision_row
from sharing.records.views import request_view

View = dict[str, Any]
OWN = "/requests/{request_id}"
CHANGED = "The request was changed since this form was made."


def add_to(app: FastAPI) -> None:
    """Hangs the page and its acts into the application."""
    hang(app, f"{OWN}/revise", "pages.revise", _filled)
    hang(app, f"{OWN}/compare", "requests.check", _compare, "POST")
    hang(app, f"{OWN}/send", "requests.amend", _send, "POST")


async def _filled(visit: Visit) -> Response:
    asked = await visit.call.read(lambda s: _asked(s, visit))
    found = await visit.call.read(lambda s: checked(s, visit.call, asked))
    return await _shown(visit, 200, asked, gates=found.gates)


async def _compare(visit: Visit) -> Response:
    """What changes, if it holds: only then it can be sent."""
    said = typed(visit).said()
    found = await visit.call.read(lambda s: checked(s, visit.call, said))
    errors = {one.path: one.message for one in found.errors}
    now = await visit.call.read(lambda s: _asked(s, visit))
    return await _shown(
        visit,
        422 if errors else 200,
        said,
        errors,
        changes=_changes(now, said, found.body),
        gates=found.gates,
    )


async def _send(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    try:
        said = typed(visit).said()
        now = await visit.call.read(lambda s: _asked(s, visit))
        found = await visit.call.read(lambda s: checked(s, visit.call, said))
        changes = _changes(now, said, found.body)
        current = await visit.call.read(lambda s: own(s, visit.call, request_id).digest)
        if visit.sent("digest") != current or visit.sent("seen") != _mark(changes):
            stale = visit.sent("digest") != current
            errors = {one.path: one.message for one in found.errors}
            if stale:
                await visit.note("requests.amend", Refused("stale_digest", CHANGED))
            return await _shown(visit, 409, said, errors, changes=changes, stale=stale)
        await requests.amend(request_id, _change(now, found.body or {}), visit.call)
    except Refused as refused:
        if refused.code != "invalid_body":
            raise
        problem = refusals.as_problem(refused)
        errors = {one["path"]: one["message"] for one in problem.get("errors", [])}
        return await _shown(visit, problem["status"], as_typed(visit), errors)
    return back_to(f"/requests/{request_id}", "revised")


def _asked(session: Session, visit: Visit) -> View:
    """What the request asks for now; raises Refused where it cannot change any more."""
    request = own(session, visit.call, visit.call.path_params["request_id"])
    standing.demand_amendable(request)
    return dict(revision_row(session, request).body)


def _changes(
    now: View, said: Mapping[str, Any], body: Mapping[str, Any] | None
) -> list[View] | None:
    """What differs from what is asked now; None where the answers do not hold."""
    return None if body is None else lookback.differences(now, _known(body))


def _known(body: Mapping[str, Any]) -> View:
    return {name: body[name] for name in NewRequest.model_fields if name in body}


def _change(now: View, body: Mapping[str, Any]) -> Change:
    """Only what differs, so that what is left alone stays as it was."""
    given = {name: value for name, value in _known(body).items() if now.get(name) != value}
    return Change.model_validate(given)


def _mark(changes: list[View] | None) -> str:
    """A name for exactly these changes: what is sent is what was shown."""
    said = json.dumps(changes, sort_keys=True).encode()
    return hashlib.sha256(said).hexdigest() if changes else "-"


def _notes(view: View, gates: Sequence[View]) -> dict[str, list[str]]:
    """What the gate that sent it back found, by field; once the answers were looked at anew, what
    any gate would find now."""
    if not gates:
        return said_of_fields(view, FIELD_OF)
    found: dict[str, list[str]] = {}
    for one in (one for gate in gates for one in gate["findings"]):
        if one["field"] and partner_words.for_you(one):
            found.setdefault(one["field"], []).append(one["detail"])
    return found


async def _shown(
    visit: Visit,
    status: int,
    body: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    *,
    changes: list[View] | None = None,
    stale: bool = False,
    gates: Sequence[View] = (),
) -> Response:
    """The form; at each answer what the gate that sent it back said, and what any gate would."""

    def query(session: Session) -> View:
        request = own(session, visit.call, visit.call.path_params["request_id"])
        view = request_view(viewer(session, visit.call), request)
        return {
            "r": view,
            "sheet": sheet(session, body, errors),
            "sent_back": sent_back(view),
            "notes": _notes(view, gates),
            "remarks": remarks(comments.shown(session, visit.call, request.id)),
        }

    values = await visit.call.read(query)
    return page(
        "revise.html", status, visit=visit, said=partner_words, changes=changes, stale=stale,
        seen=_mark(changes) if changes else "", **CHOICES, **values,
    )  # fmt: skip
