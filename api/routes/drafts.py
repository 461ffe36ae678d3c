"""Drafts: requests that a partner has not submitted yet. Nobody else sees them."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import Cursor, Limit, bad_cursor, decoded, json_answer, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.loose import LooseRequest
from sharing.records import drafts
from sharing.records.tables import rfc3339
from sharing.records.unit import Unit
from sharing.request import moment

router = APIRouter(prefix="/v1/drafts", tags=["requests"], route_class=GuardedRoute)


@router.post("", name="drafts.create", status_code=201)
async def create(body: LooseRequest, call: Call) -> Response:
    """Keeps a request in the making: fields may be absent, or not hold yet."""
    return await call.create(lambda unit: drafts.shown(drafts.add(unit, _own(call), body.said())))


@router.get("", name="drafts.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """One's own drafts, the one last changed first."""
    place = decoded(cursor, (str, str))
    at = moment(place[0]) if place else None
    if place is not None and at is None:
        raise bad_cursor()
    after = (at, place[1]) if place and at else None
    found = await call.read(lambda s: drafts.of(s, _own(call), limit + 1, after))
    last = found[limit - 1] if len(found) > limit else None
    following = [rfc3339(last.changed_at), last.id] if last else None
    return page([drafts.shown(row) for row in found[:limit]], following)


@router.get("/{draft_id}", name="drafts.show")
async def show(draft_id: str, call: Call) -> Response:
    """One draft."""
    return json_answer(await call.read(lambda s: drafts.shown(drafts.get(s, _own(call), draft_id))))


@router.put("/{draft_id}", name="drafts.replace")
async def replace(draft_id: str, body: LooseRequest, call: Call) -> Response:
    """Keeps a draft as it is now in the place of what it was."""

    def work(unit: Unit) -> Json:
        return drafts.shown(drafts.replace(unit, _own(call), draft_id, body.said()))

    return await call.create(work, 200)


@router.delete("/{draft_id}", name="drafts.delete")
async def delete(draft_id: str, call: Call) -> Response:
    """Deletes a draft for good."""

    def work(unit: Unit) -> Json:
        drafts.delete(unit, _own(call), draft_id)
        return {"id": draft_id, "deleted": True}

    return await call.create(work, 200)


def _own(call: Call) -> str:
    return call.partner_id or ""
