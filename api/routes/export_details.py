"""Exports as engineers watch them: which there are, shards, how they moved, what was fetched."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.exports import own_export
from sharing.records import downloads, export_list, export_shards
from sharing.records.export_list import Show, Sought
from sharing.records.throughput import throughput
from sharing.stages import ExportState

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=GuardedRoute)


@router.get("", name="exports.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    show: Annotated[Show, Query()] = Show.RUNNING,
    q: Annotated[str, Query(max_length=100, description="In title, partner or id.")] = "",
    partner: Annotated[str, Query(max_length=100)] = "",
    ended: Annotated[ExportState | None, Query(description="How it ended.")] = None,
) -> Response:
    """Exports that are `running`, `waiting` for a second engineer or `ended`; or requests that are
    cleared and `ready` to be exported. Each with what the caller may do next."""
    place = decoded(cursor, (str, str))
    sought = Sought(show, q, partner, ended, (place[0], place[1]) if place else None)
    found = await call.read(lambda s: export_list.listed(s, call.actor(s), sought, limit))
    return page(found.items, found.next)


@router.get("/{export_id}/shards", name="exports.shards")
async def shards(export_id: str, call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """An export's shards in order: state, attempts, and what came of each."""
    after = (decoded(cursor, (int,)) or [-1])[0]

    def query(session: Session) -> list[Json]:
        _, export = own_export(session, call, export_id)
        return export_shards.page(session, export, after, limit + 1)

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["shard"]] if len(found) > limit else None)


@router.get("/{export_id}/throughput", name="exports.throughput")
async def moved(export_id: str, call: Call) -> Response:
    """How an export moved: in the last seconds, over its whole run, and by which workers."""

    def query(session: Session) -> Json:
        _, export = own_export(session, call, export_id)
        return throughput(session, export, export_shards.every(session, export.id))

    return json_answer(await call.read(query))


@router.get("/{export_id}/downloads", name="exports.downloads")
async def fetched(export_id: str, call: Call) -> Response:
    """What was fetched of a delivered package: each file, how often, and how much of it."""

    def query(session: Session) -> list[Json]:
        request, export = own_export(session, call, export_id)
        return downloads.of_export(session, export.id, request.id)

    return page(await call.read(query), None)
