"""A dry run: what an export would come to now, without a byte written."""

from dataclasses import asdict

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Answer
from api.routes.requests import own
from sharing.errors import Refused
from sharing.stages import ENDED, RequestState

router = APIRouter(tags=["exports"], route_class=GuardedRoute)


@router.post("/v1/requests/{request_id}/exports/dry-run", name="exports.dry_run")
async def dry_run(request_id: str, call: Call) -> Response:
    """Counts, exclusions, bytes, room and time of an export, as of now: possible from the
    submission on, so that room can be made before the last gate."""

    async def doing() -> Answer:
        await call.read(lambda s: _demand_open(s, call, request_id))
        await call.log("export.dry_run", request_id)
        return Answer(200, asdict(await call.backend.engine.dry_run(request_id)))

    return await call.act(doing)


def _demand_open(session: Session, call: Call, request_id: str) -> None:
    request = own(session, call, request_id)
    if RequestState(request.state) in ENDED:
        raise Refused("wrong_state", f"The request is {request.state}: nothing will be exported.")
