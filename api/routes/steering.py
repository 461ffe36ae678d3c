"""How an engineer steers an export that is under way: pause, resume, limit."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, BytesPerSecond
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from api.routes.exports import own_export, shown
from sharing.orders import Verb
from sharing.records import standing

router = APIRouter(prefix="/v1/exports/{export_id}", tags=["exports"], route_class=GuardedRoute)


class Limit(Body):
    """At most so many bytes a second; null: as many as the workers move."""

    limit_bytes_per_second: BytesPerSecond | None


@router.post("/pause", name="exports.pause")
async def pause(export_id: str, call: Call) -> Response:
    """Nothing of the export is released until it is resumed, and no shard is begun."""
    return await _steered(call, export_id, Verb.PAUSE)


@router.post("/resume", name="exports.resume")
async def resume(export_id: str, call: Call) -> Response:
    """The export goes on where it was."""
    return await _steered(call, export_id, Verb.RESUME)


@router.post("/limit", name="exports.limit")
async def limit(export_id: str, body: Limit, call: Call) -> Response:
    """Changes how many bytes a second the export moves, from the next second on."""
    return await _steered(call, export_id, Verb.LIMIT, body.model_dump())


async def _steered(call: Call, export_id: str, verb: Verb, asked: Json | None = None) -> Response:
    async def doing() -> Answer:
        request_id = await call.read(lambda s: _steerable(s, call, export_id))
        order_id = call.id_for("ord", str(verb), export_id)
        await call.order(verb, order_id, request_id, body={"export": export_id, **(asked or {})})
        return Answer(200, await shown(call, export_id))

    return await call.act(doing)


def _steerable(session: Session, call: Call, export_id: str) -> str:
    request, export = own_export(session, call, export_id)
    standing.demand_steerable(session, request, export, call.actor(session))
    return request.id
