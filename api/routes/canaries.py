"""Canaries: from which export does a file come that turned up somewhere?"""

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.backend import Backend
from api.dependencies import Call
from api.fields import Body
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.packages import place_of
from sharing.export.trace import holds
from sharing.records import canaries, exports
from sharing.records.exports import Export, Release
from sharing.records.requests import Request

router = APIRouter(prefix="/v1/canaries", tags=["exports"], route_class=GuardedRoute)


class Found(Body):
    """The SHA-256 of a file that turned up, byte for byte as it was found."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@router.post("/trace", name="canaries.trace")
async def trace(body: Found, call: Call) -> Response:
    """Which exports delivered exactly this file. A canary was in one of them only; a photo may have
    gone to several partners."""
    planted, released = await call.read(lambda s: (_planted(s, body.sha256), _released(s)))
    delivered = [one for export, one in released if await _holds(call.backend, export, body.sha256)]
    known = {one["export"] for one in planted}
    matches = planted + [one for one in delivered if one["export"] not in known]
    await call.log("canary.traced", sha256=body.sha256, exports=[one["export"] for one in matches])
    return json_answer({"sha256": body.sha256, "matches": matches})


def _planted(session: Session, sha256: str) -> list[Json]:
    return [
        {**_where(session, exports.get(session, row.export_id)), "what": "canary"}
        for row in canaries.by_digest(session, sha256)
    ]


def _released(session: Session) -> list[tuple[Export, Json]]:
    return [
        (export, {**_where(session, export), "what": "object"})
        for export in exports.all_released(session)
    ]


def _where(session: Session, export: Export) -> Json:
    request = session.get_one(Request, export.request_id)
    release = session.get(Release, export.id)
    return {
        "export": export.id,
        "request": request.id,
        "partner": request.partner_id,
        "released_at": release.released_at if release else None,
    }


async def _holds(backend: Backend, export: Export, sha256: str) -> bool:
    """False too where the package lies where this server has no access."""
    place = place_of(export, backend)
    return place is not None and await asyncio.to_thread(holds, place, sha256)
