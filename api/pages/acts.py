"""An act of a page: the call of the API, made from a form; and where it is refused for something in
the form, the form again with what was typed and what is wrong with it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from api.pages import refusals
from api.pages.doors import Visit
from api.pages.frame import HEADERS
from api.pages.words import sentence
from api.problems import in_our_words
from sharing.errors import FieldError, Refused

M = TypeVar("M", bound=BaseModel)
# What is cured in the form itself. Other refusals are a page of their own.
IN_THE_FORM = frozenset({"invalid_body", "exists", "wrong_state", "four_eyes", "delegation_chain"})

Shown = Callable[[int, Mapping[str, str]], Awaitable[Response]]


class Errors(dict[str, str]):
    """What is wrong with a form, by field; nothing with the fields that are not in it."""

    def __missing__(self, name: str) -> str:
        return ""


def made(body: type[M], **given: Any) -> M:
    """The body of a call; raises Refused with every field that cannot be accepted."""
    try:
        return body.model_validate(given)
    except ValidationError as invalid:
        found = tuple(_field(error) for error in invalid.errors())
        raise Refused("invalid_body", "Some fields cannot be accepted.", found) from invalid


def _field(error: Any) -> FieldError:
    path = ".".join(str(part) for part in error["loc"])
    told = in_our_words(error["msg"])
    return FieldError(path, "is required." if error["type"] == "missing" else told)


async def tried(
    visit: Visit, name: str, act: Callable[[], Awaitable[Response]], shown: Shown
) -> Response:
    """What the act answers; or the form again, with what is wrong at each field."""
    try:
        return await act()
    except Refused as refused:
        if refused.code not in IN_THE_FORM:
            raise
        problem = refusals.as_problem(refused)
        found = {one.path: f"{sentence(one.path)}: {one.message}" for one in refused.errors}
        answer = await shown(problem["status"], found or {"form": refused.detail})
        await visit.note(name, refused)
        return answer


def lines(text: str) -> list[str]:
    """What was typed, one a line, without empty ones."""
    return [one.strip() for one in text.splitlines() if one.strip()]


def back_to(path: str, said: str) -> Response:
    """Another page, where the focus goes to what was done."""
    return RedirectResponse(f"{path}?said={said}#said", 303, HEADERS)
