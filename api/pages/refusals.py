"""Refusals for people: what is not possible, why, who can change that, and where to go on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.responses import Response

from api.pages.frame import page
from api.problems import told
from sharing.stages import Role

if TYPE_CHECKING:
    from api.pages.doors import Visit

WHAT_NOW = {
    "forbidden": "Ask somebody who has the role, or sign in with another one of yours.",
    "not_eligible": "Somebody else has to do it. The page of the request says who may.",
    "cross_site": "Nothing was changed.",
    "stale_digest": "Nothing was recorded. Read what changed, then decide again.",
    "already_decided": "Your earlier decision counts. It can be taken back on the request's page.",
    "wrong_stage": "Nothing was recorded: somebody else was faster, or the gate is not open yet.",
    "too_late": "Nothing was recorded.",
    "cooling_off": "Nothing was recorded. Come back then.",
    "not_found": "It may have been written wrongly, or belong to somebody else.",
    "engine_unreachable": "What you sent may still be recorded: look before you send it again.",
    "storage_failed": "Nothing was changed. Try again in a moment.",
}


def as_problem(failure: Exception) -> dict[str, Any]:
    """What the API says of the same failure: the one table of codes and statuses."""
    problem: dict[str, Any] = from_json(bytes(told(failure).body))
    return problem


async def shown(visit: "Visit | None", failure: Exception, roles: Iterable[Role]) -> Response:
    """A page that says what is not possible."""
    problem = as_problem(failure)
    who = sorted(roles) if problem["code"] in ("forbidden", "not_eligible") else []
    return page(
        "refused.html",
        problem["status"],
        visit=visit,
        problem=problem,
        what_now=WHAT_NOW.get(problem["code"], ""),
        roles=who,
    )
