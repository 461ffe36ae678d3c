"""Pressure notes: somebody was leaned on, and says so to those who look after conflicts."""

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import pressure, requests
from sharing.records.pressure import PressureNote
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/requests", tags=["conflict"], route_class=GuardedRoute)


class NewNote(Body):
    """Who leaned on whom, and how."""

    text: Prose


@router.post("/{request_id}/pressure-notes", name="pressure_notes.add", status_code=201)
async def add(request_id: str, body: NewNote, call: Call) -> Response:
    """Puts a note on a request. Conflict officers and auditors alone read it."""

    def work(unit: Unit) -> Json:
        request = requests.get(unit.session, request_id)
        author = call.actor(unit.session)
        return _view(pressure.add(unit, request.id, author.id, body.text))

    return await call.create(work)


@router.get("/{request_id}/pressure-notes", name="pressure_notes.list")
async def listed(request_id: str, call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every note on a request."""
    after = (decoded(cursor, (str,)) or [""])[0]
    found = await call.read(
        lambda s: pressure.page(s, requests.get(s, request_id).id, after, limit + 1)
    )
    following = [found[limit - 1].id] if len(found) > limit else None
    return page([_view(note) for note in found[:limit]], following)


def _view(note: PressureNote) -> Json:
    return {
        "id": note.id,
        "request": note.request_id,
        "author": note.author_id,
        "text": note.text,
        "at": note.at,
    }
