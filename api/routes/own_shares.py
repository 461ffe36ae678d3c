"""Who received my data: for the people in it."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, encoded, json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.own_view import Names, share_view
from api.routes.own_consents import me
from sharing.records import received

router = APIRouter(prefix="/v1/me/shares", tags=["subject"], route_class=GuardedRoute)


@router.get("", name="me.shares")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every release that my data was in, the newest first: to whom, what for, by which of my
    consents, how long it may be kept; and, where I took one back since, what must come back."""
    after = decoded(cursor, (str,))

    def query(session: Session) -> Json:
        mine, names = received.shares_of(session, me(call)), Names(session)
        places = [one["export"] for one in mine]
        start = places.index(after[0]) + 1 if after and after[0] in places else 0
        shown = mine[start : start + limit]
        return {
            "items": [share_view(one, names) for one in shown],
            "next": encoded([shown[-1]["export"]]) if len(mine) > start + limit else None,
        }

    return json_answer(await call.read(query))
