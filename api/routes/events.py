"""Events: everything that happened, in order; as pages or as a stream that goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import (
    KEEP_ALIVE,
    LAST_POSITION,
    Cursor,
    Limit,
    decoded,
    last_seen,
    page,
    streamed,
)
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import events

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=GuardedRoute)

LOOK_EVERY = 0.5  # seconds
QUIET_LOOKS = 30
AT_ONCE = 200


@router.get("", name="events.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    after: Annotated[
        int, Query(ge=0, le=LAST_POSITION, description="The id of the last one seen.")
    ] = 0,
) -> Response:
    """CloudEvents in the order in which they happened. With `Accept: text/event-stream` they are
    streamed as they happen, from `Last-Event-ID` (or `after`) on. A partner sees its own."""
    place = decoded(cursor, (int,))
    if "text/event-stream" in call.headers.get("accept", ""):
        seen = last_seen(call.headers.get("last-event-id"), after)
        return call.streaming(_stream(call, seen))
    found = await _page(call, place[0] if place else after, limit + 1)
    return page(found[:limit], [int(found[limit - 1]["id"])] if len(found) > limit else None)


async def _stream(call: Call, after: int) -> AsyncIterator[bytes]:
    """Ends when the token no longer holds; the server ends it when the caller goes away."""
    quiet = 0
    yield KEEP_ALIVE
    while await _still_known(call):
        found = await _page(call, after, AT_ONCE)
        for event in found:
            after = int(event["id"])
            yield streamed(event, after, event["type"])
        if len(found) == AT_ONCE:
            continue
        quiet = 0 if found else quiet + 1
        if quiet and quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE
        await asyncio.sleep(LOOK_EVERY)


async def _page(call: Call, after: int, limit: int) -> list[Json]:
    inside = call.partner_id is None

    def query(session: Session) -> list[Json]:
        found = events.page(session, after, limit, call.partner_id)
        return [events.cloud_event(event, inside=inside) for event in found]

    return await call.read(query)


async def _still_known(call: Call) -> bool:
    found = await call.backend.doorkeeper.known(call)
    return found is not None and found.role == call.principal.role
