"""Reviews: what waits for me."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import inbox, reviews
from sharing.records.inbox import Show, Sought

router = APIRouter(prefix="/v1/reviews", tags=["requests"], route_class=GuardedRoute)

Words = Annotated[str, Query(max_length=100, description="In title, partner or id.")]


@router.get("", name="reviews.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    show: Annotated[Show | None, Query()] = None,
    q: Words = "",
    partner: Annotated[str, Query(max_length=100)] = "",
    due: Annotated[int | None, Query(ge=0, le=3650, description="Within so many days.")] = None,
) -> Response:
    """Requests at which the caller may decide now, or whose export they may trigger or confirm;
    on each page first what the caller has in hand, and last what others have. With `show` it is
    the inbox of a gate's reviewers, the first due first: `waiting`, `unclaimed`, `others` or
    `decided`."""
    if show is not None:
        return await _inbox(call, limit, cursor, Sought(show, q, partner, due))
    after = (decoded(cursor, (str,)) or [""])[0]

    def query(session: Session) -> list[Json]:
        return reviews.waiting(session, call.actor(session), call.principal.role, limit + 1, after)

    found = await call.read(query)
    mine = reviews.mine_first(found[:limit], call.principal.person_id or "")
    return page(mine, [found[limit - 1]["request"]] if len(found) > limit else None)


async def _inbox(call: Call, limit: int, cursor: str | None, sought: Sought) -> Response:
    place = decoded(cursor, (str, str))
    behind = (place[0], place[1]) if place else None
    found = await call.read(
        lambda s: inbox.inbox(s, call.actor(s), call.principal.role, sought.behind(behind), limit)
    )
    return page(found.items, found.next)
