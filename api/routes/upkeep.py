"""What waits for those who keep the place."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from sharing.records import upkeep

router = APIRouter(prefix="/v1/upkeep", tags=["audit"], route_class=GuardedRoute)


@router.get("", name="upkeep.show")
async def show(call: Call) -> Response:
    """Policies to approve, gates that nobody answers, datasets without an index, versions of
    notices that nobody compared, refused attempts, and when the log was last read."""
    me = call.principal.person_id or ""
    return json_answer(await call.read(lambda session: upkeep.upkeep(session, me)))
