"""Refusals for people: what is not possible, why, who can change that, and where to go on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.requests import Request
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
    "sign_in_denied": "Begin again from the first page, and say yes there.",
    "sign_in_expired": "Begin again from the first page, in this browser.",
    "sign_in_forged": "Do not follow links to sign in that others sent. Begin again from the first "
    "page.",
    "sign_in_replayed": "Begin again from the first page.",
    "sign_in_issuer": "Begin again from the first page. If it stays so, tell an administrator: the "
    "provider's name in our settings is not the one that it gives.",
    "sign_in_token": "Begin again from the first page. If it stays so, tell an administrator.",
    "sign_in_clock": "Tell whoever runs this service: one of the two clocks has to be set right.",
    "sign_in_unknown": "Signing in puts nobody on record. An administrator does, with your roles.",
    "sign_in_unverified": "Confirm your address at the provider, then begin again.",
    "sign_in_no_role": "An administrator gives you the roles that you need.",
    "provider_away": "Try again in a moment, or ask an administrator for a one-time link.",
    "storage_failed": "Nothing was changed. Try again in a moment.",
}


def as_problem(failure: Exception) -> dict[str, Any]:
    """What the API says of the same failure: the one table of codes and statuses."""
    problem: dict[str, Any] = from_json(bytes(told(failure).body))
    return problem


async def lost(request: Request, failure: Exception) -> Response:
    """An address where nothing is: a page for a browser, a problem for a program."""
    wants = request.headers.get("Accept", "")
    if request.method == "GET" and "text/html" in wants and not request.url.path.startswith("/v1/"):
        return await shown(None, failure, ())
    return told(failure)


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
