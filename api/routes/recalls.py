"""Recalls: whose objects went out before their consent ended, and must come back."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import recalls
from sharing.records.recalls import RecallItem

router = APIRouter(prefix="/v1/recalls", tags=["recalls"], route_class=GuardedRoute)


@router.get("", name="recalls.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    export: Annotated[str | None, Query(max_length=100, description="Of one export.")] = None,
) -> Response:
    """One item a subject and export, in the order in which consents ended. A partner sees its own,
    counted by export and reason."""
    if call.partner_id is not None:
        return await _counted(call, call.partner_id, limit, cursor, export)
    place = decoded(cursor, (int, str)) or [0, ""]
    found = await call.read(
        lambda s: recalls.page(s, (place[0], place[1]), limit + 1, export),
    )
    more = len(found) > limit
    following = [found[limit - 1].position, found[limit - 1].export_id] if more else None
    return page([_item(item) for item in found[:limit]], following)


async def _counted(
    call: Call, partner_id: str, limit: int, cursor: str | None, export: str | None
) -> Response:
    place = decoded(cursor, (str, str)) or ["", ""]
    found = await call.read(
        lambda s: recalls.counted(s, partner_id, (place[0], place[1]), limit + 1, export)
    )
    more = len(found) > limit
    following = [found[limit - 1]["export"], found[limit - 1]["reason"]] if more else None
    return page(found[:limit], following)


def _item(item: RecallItem) -> Json:
    return {
        "export": item.export_id,
        "request": item.request_id,
        "partner": item.partner_id,
        "subject": item.subject,
        "reason": item.reason,
        "position": item.position,
        "objects": item.objects,
        "state": item.state,
        "opened_at": item.opened_at,
    }
