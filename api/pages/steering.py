"""What people do to an export on its page: the second yes, pause, resume, limit, cancel. Each act
is the very call of the API, made from a form."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.responses import Response

from api.pages import refusals
from api.pages.acts import back_to
from api.pages.doors import Visit, hang
from api.pages.export import shown
from api.routes import exports, steering
from api.routes.steering import Limit
from sharing.errors import Refused, bad_field

MEGABYTE = 1_000_000
# Somebody was faster: what the page says now is the answer.
HERE_AGAIN = frozenset({"wrong_state", "stale_order"})


def add_to(app: FastAPI) -> None:
    """Hangs the acts into the application, each under the name of its call."""
    own = "/exports/{export_id}"
    hang(app, f"{own}/confirm", "exports.confirm", _confirm, "POST")
    hang(app, f"{own}/pause", "exports.pause", _pause, "POST")
    hang(app, f"{own}/resume", "exports.resume", _resume, "POST")
    hang(app, f"{own}/limit", "exports.limit", _limit, "POST")
    hang(app, f"{own}/cancel", "exports.cancel", _cancel, "POST")


async def _confirm(visit: Visit) -> Response:
    return await _done(visit, exports.confirm, "confirmed")


async def _pause(visit: Visit) -> Response:
    return await _done(visit, steering.pause, "paused")


async def _resume(visit: Visit) -> Response:
    return await _done(visit, steering.resume, "resumed")


async def _cancel(visit: Visit) -> Response:
    return await _done(visit, exports.cancel, "cancelled")


async def _limit(visit: Visit) -> Response:
    try:
        body = Limit(limit_bytes_per_second=None if visit.sent("none") else limit(visit, True))
    except Refused as refused:
        return await shown(visit, 422, errors={"limit": refused.errors[0].message})
    said = "limited" if body.limit_bytes_per_second else "unlimited"
    return await _done(visit, lambda export_id, call: steering.limit(export_id, body, call), said)


def limit(visit: Visit, needed: bool = False) -> int | None:
    """Bytes a second from a field that says megabytes; raises Refused naming the field."""
    text = visit.sent("limit").replace(",", ".").replace(" ", "")
    if not text and not needed:
        return None
    try:
        size = round(float(text) * MEGABYTE)
        Limit(limit_bytes_per_second=size)
    except (ValueError, OverflowError, ValidationError):
        raise bad_field(
            "limit", "Give the limit in megabytes a second, from 0.01 to 1000000: 25, or 0.5."
        ) from None
    return size


async def _done(visit: Visit, act: Callable[..., Awaitable[Response]], said: str) -> Response:
    """The export's page again, where the focus goes to what was done; or to why it was not."""
    export_id = visit.call.path_params["export_id"]
    try:
        await act(export_id, call=visit.call)
    except Refused as refused:
        if refused.code not in HERE_AGAIN:
            raise
        status = refusals.as_problem(refused)["status"]
        answer = await shown(visit, status, errors={"top": refused.detail})
        await visit.note(f"exports.{visit.path.rpartition('/')[2]}", refused)
        return answer
    return back_to(f"/exports/{export_id}", said)
