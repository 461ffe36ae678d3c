"""What a reviewer does on a request's page: decide, take back, take in hand. Each act is the very
call of the API, made from a form."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from api.pages import refusals
from api.pages.acts import back_to, lines
from api.pages.doors import Visit, hang
from api.pages.request import shown
from api.problems import in_our_words
from api.routes import claims, decisions
from api.routes.claims import AtGate
from api.routes.decisions import NewDecision, TakingBack
from sharing.errors import Refused, bad_field

M = TypeVar("M", bound=BaseModel)

HERE_AGAIN = frozenset({"invalid_body", "stale_digest", "wrong_stage", "cooling_off"})
MISSING = {
    "outcome": "Choose an outcome.",
    "reason": "Give a reason: the people after you read it, and so does the partner.",
    "no_interest": "Say that you have no interest. Whoever has one declares it instead.",
}


def add_to(app: FastAPI) -> None:
    """Hangs the acts into the application, each under the name of its call."""
    own = "/requests/{request_id}"
    hang(app, f"{own}/decide", "requests.decide", _decide, "POST")
    hang(app, f"{own}/decisions/{{decision_id}}/take-back", "requests.take_back", _back, "POST")
    hang(app, f"{own}/claim", "requests.claim", _claim, "POST")
    hang(app, f"{own}/release-claim", "requests.release_claim", _release, "POST")


async def _decide(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    try:
        body = NewDecision.model_validate(_body(visit))
        await decisions.decide(request_id, body, visit.call)
    except ValidationError as invalid:
        return await shown(visit, 422, errors=_errors(invalid))
    except Refused as refused:
        if refused.code not in HERE_AGAIN:
            raise
        problem = refusals.as_problem(refused)
        errors = {one["path"]: one["message"] for one in problem.get("errors", [])}
        errors = errors or {"form": f"{refused.detail} {refusals.WHAT_NOW.get(refused.code, '')}"}
        answer = await shown(visit, problem["status"], errors=errors)
        await visit.note("requests.decide", refused)
        return answer
    return _back_to(request_id, str(body.outcome))


def _body(visit: Visit) -> dict[str, Any]:
    """The body that the form stands for."""
    body: dict[str, Any] = {
        name: visit.sent(name) or None for name in ("stage", "outcome", "digest", "reason")
    }
    body["conditions"] = lines(visit.sent("conditions"))
    body["no_interest"] = visit.sent("no_interest") == "yes"
    body["agreement_digest"] = visit.sent("agreement_digest") or None
    body["answers"] = {
        name.removeprefix("answers."): visit.sent(name)
        for name in visit.form
        if name.startswith("answers.") and visit.sent(name)
    }
    if visit.sent("screening_read") == "yes":
        body["sign_off"] = {"screening_read": True, "recused": visit.form.get("recused", [])}
    return body


def _errors(invalid: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in invalid.errors():
        path = ".".join(str(part) for part in error["loc"])
        name = "conditions" if path.startswith("conditions") else path
        found[name] = MISSING.get(name) or f"This {in_our_words(error['msg'])}"
    return found


def _made(body: type[M], **given: Any) -> M:
    """The body of a call; raises Refused where the form was changed into another."""
    try:
        return body.model_validate(given)
    except ValidationError as invalid:
        path, words = next(iter(_errors(invalid).items()))
        raise bad_field(path, words) from invalid


async def _back(visit: Visit) -> Response:
    request_id, decision_id = (visit.call.path_params[n] for n in ("request_id", "decision_id"))
    body = _made(TakingBack, reason=visit.sent("reason") or None)
    await decisions.take_back(request_id, decision_id, body, visit.call)
    return _back_to(request_id, "taken_back")


async def _claim(visit: Visit) -> Response:
    return await _at_gate(visit, claims.claim, "claimed")


async def _release(visit: Visit) -> Response:
    return await _at_gate(visit, claims.release, "released")


async def _at_gate(visit: Visit, act: Callable[..., Awaitable[Response]], said: str) -> Response:
    request_id = visit.call.path_params["request_id"]
    await act(request_id, _made(AtGate, stage=visit.sent("stage")), visit.call)
    return _back_to(request_id, said)


def _back_to(request_id: str, said: str) -> Response:
    """The request's page again, where the focus goes to what was done."""
    return back_to(f"/requests/{request_id}", said)
