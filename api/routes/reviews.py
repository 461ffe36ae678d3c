"""Reviews: what waits for me."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import reviews

router = APIRouter(prefix="/v1/reviews", tags=["requests"], route_class=GuardedRoute)


@router.get("", name="reviews.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Requests at which the caller may decide now, or whose export they may trigger or confirm;
    on each page first what the caller has in hand, and last what others have."""
    after = (decoded(cursor, (str,)) or [""])[0]

    def query(session: Session) -> list[Json]:
        return reviews.waiting(session, call.actor(session), call.principal.role, limit + 1, after)

    found = await call.read(query)
    mine = reviews.mine_first(found[:limit], call.principal.person_id or "")
    return page(mine, [found[limit - 1]["request"]] if len(found) > limit else None)
