"""Waivers, and what is said of interests found too late."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.eligibility import demand_disinterested
from sharing.errors import bad_field
from sharing.records import conflict_views, late_interests, parties, requests, waiving
from sharing.records.unit import Unit
from sharing.records.viewer import Viewer
from sharing.records.waivers import Waiver

router = APIRouter(prefix="/v1/requests", tags=["conflict"], route_class=GuardedRoute)


class NewWaiver(Body):
    """That a person may act on a request in spite of one interest. `person`: an id or e-mail."""

    person: Line
    interest: Line
    reason: Prose


class Agreement(Body):
    """Why one agrees."""

    reason: Prose


class Look(Body):
    """What the conflict officer makes of it."""

    note: Prose


@router.post("/{request_id}/waivers", name="waivers.ask", status_code=201)
async def ask(request_id: str, body: NewWaiver, call: Call) -> Response:
    """Asks for a waiver, and agrees to it as the first of two."""

    def work(unit: Unit) -> Json:
        request = requests.get(unit.session, request_id, hold=True)
        person = parties.person_named(unit.session, body.person)
        if person is None:
            raise bad_field("person", f"there is no person {body.person!r}: give id or e-mail.")
        by = call.actor(unit.session)
        row = waiving.ask(unit, request, person.id, body.interest, body.reason, by)
        return _view(unit.session, row)

    return await call.create(work)


@router.post("/{request_id}/waivers/{waiver_id}/approve", name="waivers.agree", status_code=201)
async def agree(request_id: str, waiver_id: str, body: Agreement, call: Call) -> Response:
    """Agrees to a waiver. The second one who does makes it stand."""

    def work(unit: Unit) -> Json:
        request = requests.get(unit.session, request_id, hold=True)
        by = call.actor(unit.session)
        return _view(unit.session, waiving.agree(unit, request, waiver_id, body.reason, by))

    return await call.create(work)


@router.post(
    "/{request_id}/late-interests/{interest_id}/look", name="late_interests.look", status_code=201
)
async def look(request_id: str, interest_id: str, body: Look, call: Call) -> Response:
    """Says, for good, what one makes of an interest that was found after the release."""

    def work(unit: Unit) -> Json:
        request = requests.get(unit.session, request_id, hold=True)
        by = call.actor(unit.session)
        demand_disinterested(by, requests.case(unit.session, request))
        row = late_interests.look(unit, request, interest_id, body.note, by.id)
        return {
            "request": request.id,
            "person": row.person_id,
            "interest": row.interest_id,
            "by": row.seen_by,
            "note": row.note,
            "at": row.at,
        }

    return await call.create(work)


def _view(session: Session, row: Waiver) -> Json:
    return conflict_views.waiver_view(session, row, Viewer(session, inside=True).name)
