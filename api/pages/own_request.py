"""One request as its partner sees it: where it stands, what is waited for, what was said of it, and
what the partner can do."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.pages import partner_words
from api.pages.acts import Errors, back_to
from api.pages.doors import Visit, hang
from api.pages.frame import page
from api.pages.standing import agreement_of, position
from api.routes import comments as comment_routes
from api.routes import requests
from api.routes.requests import own, viewer
from sharing.comments import ANSWERS, answer_of
from sharing.records import comments
from sharing.records.views import request_view
from sharing.stages import AMENDABLE, ENDED, GATES, Outcome, RequestState

View = dict[str, Any]
NOT_SURE = {"sure": "Say that you no longer ask for it: a withdrawal is for good."}


def add_to(app: FastAPI) -> None:
    """Hangs the act into the application; the page itself is that of `request`."""
    hang(app, "/requests/{request_id}/withdraw", "requests.withdraw", _withdraw, "POST")


async def shown(
    visit: Visit,
    status: int,
    errors: Mapping[str, str] | None = None,
    unsaid: Mapping[str, str] | None = None,
) -> Response:
    """The page as it stands now; `unsaid` is why a comment was not taken."""
    values = await visit.call.read(lambda session: _all(session, visit))
    wrong = {"errors": errors or {}, "unsaid": Errors(unsaid or {})}
    return page("own_request.html", status, visit=visit, said=partner_words, **wrong, **values)


async def _withdraw(visit: Visit) -> Response:
    if visit.sent("sure") != "yes":
        return await shown(visit, 422, NOT_SURE)
    request_id = visit.call.path_params["request_id"]
    await requests.withdraw(request_id, visit.call)
    return back_to(f"/requests/{request_id}", "withdrawn")


def _all(session: Session, visit: Visit) -> View:
    request = own(session, visit.call, visit.call.path_params["request_id"])
    view = request_view(viewer(session, visit.call), request)
    agreement = agreement_of(session, request, inside=False)
    said = comment_routes.shown(session, visit.call, request.id)
    return {
        "comments": said,
        "remarks": remarks(said),
        "answers": ANSWERS,
        "may_comment": comments.is_open(request),
        "r": view,
        "sent_back": sent_back(view),
        "agreement": agreement,
        "duties": agreement["due"] if agreement else [],
        "amendable": request.state in AMENDABLE,
        "withdrawable": request.state not in ENDED,
        "position": position(session, request, inside=False),
    }


def sent_back(view: View) -> list[View]:
    """The decisions by which a request was returned, if it is now; none that no longer counts."""
    if view["state"] != RequestState.RETURNED:
        return []
    taken = [one for stage in view["stages"] for one in stage["decisions"]]
    return [one for one in taken if one.get("outcome") == Outcome.RETURNED and not one["void"]]


def remarks(said: Sequence[View]) -> dict[str, list[View]]:
    """Comments that wait for a change of an answer, by that answer, in the order of the form."""
    found: dict[str, list[View]] = {}
    for one in said:
        if one["open"] and one["field"]:
            found.setdefault(answer_of(one["field"]), []).append(one)
    return {name: found[name] for name in (*ANSWERS, *found) if name in found}


def said_of_fields(view: View, field_of: Mapping[str, str]) -> dict[str, list[str]]:
    """What the gate that sent it back found, by the answer of the request that it is about."""
    back = {one["digest"] for one in sent_back(view)}
    found: dict[str, list[str]] = {}
    for stage in view["stages"] if back else ():
        if stage["stage"] in GATES and stage["outcome"] == Outcome.RETURNED:
            for one in stage["findings"]:
                name = field_of.get(one["check"])
                if name and partner_words.for_you(one):
                    found.setdefault(name, []).append(one["detail"])
    return found
