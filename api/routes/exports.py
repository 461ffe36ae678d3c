"""Exports: triggered by an engineer, confirmed by another where that is needed, and followed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import KEEP_ALIVE, json_answer, last_seen, streamed
from api.dependencies import Call
from api.fields import Body, BytesPerSecond, Line, count
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from api.nudges import nudge
from api.routes.requests import own
from sharing.errors import NotFound
from sharing.orders import Verb
from sharing.records import exports, standing
from sharing.records.export_views import ended, export_view
from sharing.records.exports import Export
from sharing.records.requests import Request
from workflows.messages import PRIORITY

router = APIRouter(tags=["exports"], route_class=GuardedRoute)

LOOK_EVERY = 0.5  # seconds
QUIET_LOOKS = 30  # after so many without a change a comment keeps the connection open


class NewExport(Body):
    """The digest that was cleared, as the engineer read it. `priority`: 1 goes before 5."""

    digest: Line
    priority: Annotated[int, count(1, 5)] = PRIORITY
    limit_bytes_per_second: BytesPerSecond | None = None


@router.post("/v1/requests/{request_id}/exports", name="exports.trigger", status_code=202)
async def trigger(request_id: str, body: NewExport, call: Call) -> Response:
    """Starts the export of a cleared request."""
    export_id = call.id_for("exp", request_id)

    async def doing() -> Answer:
        if not await call.read(lambda s: s.get(Export, export_id) is not None):
            await call.read(
                lambda s: standing.demand_triggerable(
                    s, own(s, call, request_id), call.actor(s), body.digest
                )
            )
            asked = body.model_dump(include={"priority", "limit_bytes_per_second"})
            await call.order(Verb.TRIGGER, export_id, request_id, body.digest, asked)
        return Answer(202, await shown(call, export_id))

    return await call.act(doing)


@router.post("/v1/exports/{export_id}/confirm", name="exports.confirm")
async def confirm(export_id: str, call: Call) -> Response:
    """The second engineer says yes, and the export runs."""

    async def doing() -> Answer:
        request_id = await call.read(lambda s: _confirmable(s, call, export_id))
        await call.order(
            Verb.CONFIRM,
            call.id_for("ord", "confirm", export_id),
            request_id,
            body={"export": export_id},
        )
        return Answer(200, await shown(call, export_id))

    return await call.act(doing)


@router.post("/v1/exports/{export_id}/cancel", name="exports.cancel")
async def cancel(export_id: str, call: Call) -> Response:
    """Stops an export; what was staged is erased."""

    async def doing() -> Answer:
        request_id = await call.read(lambda s: _cancellable(s, call, export_id))
        await call.order(
            Verb.CANCEL,
            call.id_for("ord", "cancel", export_id),
            request_id,
            body={"export": export_id},
        )
        return Answer(200, await shown(call, export_id))

    return await call.act(doing)


@router.get("/v1/exports/{export_id}", name="exports.show")
async def show(export_id: str, call: Call) -> Response:
    """An export and its progress."""
    return json_answer(await shown(call, export_id))


@router.get("/v1/exports/{export_id}/events", name="exports.events")
async def events(export_id: str, call: Call) -> Response:
    """The same as server-sent events: one at first and one a change, until the export has ended,
    or the token."""
    first = await shown(call, export_id)
    seen = last_seen(call.headers.get("last-event-id"))
    return call.streaming(_followed(call, export_id, first, seen))


async def _followed(call: Call, export_id: str, view: Json, seen: int) -> AsyncIterator[bytes]:
    number = seen + 1
    yield streamed(view, number, "progress")
    quiet = 0
    while not ended(view):
        await asyncio.sleep(LOOK_EVERY)
        if await call.backend.doorkeeper.known(call) is None:
            return
        now = await shown(call, export_id)
        quiet = quiet + 1 if now == view else 0
        if now != view:
            view, number = now, number + 1
            yield streamed(view, number, "progress")
        elif quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE


def own_export(session: Session, call: Call, export_id: str) -> tuple[Request, Export]:
    """An export and its request, if they are this caller's to see."""
    export = exports.get(session, export_id)
    try:
        return own(session, call, export.request_id), export
    except NotFound:
        raise NotFound("export", export_id) from None


def _confirmable(session: Session, call: Call, export_id: str) -> str:
    request, export = own_export(session, call, export_id)
    standing.demand_confirmable(session, request, export, call.actor(session))
    return request.id


def _cancellable(session: Session, call: Call, export_id: str) -> str:
    request, export = own_export(session, call, export_id)
    standing.demand_cancellable(session, request, export, call.actor(session))
    return request.id


async def shown(call: Call, export_id: str) -> Json:
    """An export as this caller may see it."""
    return await call.read(
        lambda session: export_view(
            session,
            own_export(session, call, export_id)[1],
            inside=call.partner_id is None,
            nudge=nudge(call),
        )
    )
