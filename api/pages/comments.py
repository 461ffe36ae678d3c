"""What is said on a request's page: the very call of the API, made from a form."""

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.responses import Response

from api.pages import own_request, request
from api.pages.acts import back_to
from api.pages.doors import Visit, hang
from api.pages.refusals import as_problem
from api.problems import in_our_words
from api.routes import comments
from api.routes.comments import NewComment
from sharing.errors import Refused
from sharing.stages import Role

HERE_AGAIN = frozenset({"invalid_body", "wrong_state"})
EMPTY = "Write something first."


def add_to(app: FastAPI) -> None:
    """Hangs the act into the application, under the name of its call."""
    hang(app, "/requests/{request_id}/comments", "comments.add", _add, "POST")


async def _add(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    try:
        await comments.add(request_id, NewComment.model_validate(_body(visit)), visit.call)
    except ValidationError as invalid:
        return await _again(visit, 422, _errors(visit, invalid))
    except Refused as refused:
        if refused.code not in HERE_AGAIN:
            raise
        problem = as_problem(refused)
        errors = {one["path"]: one["message"] for one in problem.get("errors", [])}
        answer = await _again(visit, problem["status"], errors or {"text": refused.detail})
        await visit.note("comments.add", refused)
        return answer
    return back_to(f"/requests/{request_id}", "commented")


async def _again(visit: Visit, status: int, unsaid: dict[str, str]) -> Response:
    """The page again, with what was typed: for its partner or for people inside."""
    of_partner = visit.role is Role.PARTNER
    shown = own_request.shown if of_partner else request.shown
    return await shown(visit, status, unsaid=unsaid)


def _body(visit: Visit) -> dict[str, str | None]:
    return {name: visit.sent(name) or None for name in ("text", "audience", "field", "stage")}


def _errors(visit: Visit, invalid: ValidationError) -> dict[str, str]:
    found = {
        str(error["loc"][0]): f"This {in_our_words(error['msg'])}" for error in invalid.errors()
    }
    return {**found, **({} if visit.sent("text") else {"text": EMPTY})}
