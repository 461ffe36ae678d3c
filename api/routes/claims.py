"""Claims: who has a gate in hand. They decide nothing, and keep nobody from deciding."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.decisions import Gate
from api.routes.requests import own
from sharing.eligibility import Act, Actor, demand
from sharing.errors import NotEligible, Refused, bad_field
from sharing.records import claims, parties, requests
from sharing.records.claims import Claim
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role, Stage

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)


class AtGate(Body):
    """The gate where the request waits."""

    stage: Gate


class Assignment(AtGate):
    """Who is to decide there: an id or e-mail address."""

    person: Line


@router.post("/{request_id}/claim", name="requests.claim", status_code=201)
async def claim(request_id: str, body: AtGate, call: Call) -> Response:
    """Takes the gate in hand, for two working days: others see it, and may decide all the same."""

    def work(unit: Unit) -> Json:
        request, stage = _waiting(unit.session, call, request_id, body.stage)
        person = call.actor(unit.session)
        demand(Act.CLAIM, person, requests.case(unit.session, request), stage)
        until = call.backend.settings.patience().claimed_until(now())
        held = claims.claim(unit.session, request, stage, person.id, until)
        return _told(unit, call, request, held, "gate.claimed")

    return await call.create(work)


@router.post("/{request_id}/release-claim", name="requests.release_claim", status_code=201)
async def release(request_id: str, body: AtGate, call: Call) -> Response:
    """Gives the gate out of one's hands; an admin also out of somebody else's."""

    def work(unit: Unit) -> Json:
        request, stage = _waiting(unit.session, call, request_id, body.stage)
        held = claims.current(unit.session, request, stage)
        if held is None:
            raise Refused("wrong_state", f"Nobody has {stage} in hand.")
        if call.principal.role is not Role.ADMIN and held.person_id != call.principal.person_id:
            raise Refused("forbidden", "Only who has it in hand, and an admin, release it.")
        claims.release(unit.session, request, stage)
        return _told(unit, call, request, held, "gate.claim_released")

    return await call.create(work)


@router.post("/{request_id}/assign", name="requests.assign", status_code=201)
async def assign(request_id: str, body: Assignment, call: Call) -> Response:
    """Gives the gate into somebody's hands: by an admin or a holder of its role, to somebody who
    may decide there."""

    def work(unit: Unit) -> Json:
        request, stage = _waiting(unit.session, call, request_id, body.stage)
        case = requests.case(unit.session, request)
        demand(Act.ASSIGN, call.actor(unit.session), case, stage)
        chosen = _chosen(unit.session, body.person)
        try:
            demand(Act.DECIDE, chosen, case, stage)
        except NotEligible as why:
            raise bad_field("person", f"may not decide there. {why.detail}") from None
        held = claims.assign(unit.session, request, stage, chosen.id, call.principal.id)
        return _told(unit, call, request, held, "gate.assigned")

    return await call.create(work)


def _waiting(session: Session, call: Call, request_id: str, stage: Stage) -> tuple[Request, Stage]:
    """The request, held; raises Refused where it does not wait there."""
    own(session, call, request_id)
    request = requests.get(session, request_id, hold=True)
    if request.waiting_stage != stage:
        raise Refused("wrong_stage", f"The request is {request.state}, and does not wait there.")
    return request, Stage(stage)


def _chosen(session: Session, name: str) -> Actor:
    person = parties.person_named(session, name)
    found = parties.actor(session, person.id) if person else None
    if found is None:
        raise bad_field("person", f"there is no person {name!r}: give an id or e-mail address.")
    return found


def _told(unit: Unit, call: Call, request: Request, held: Claim, what: str) -> Json:
    said = {"stage": held.stage, "person": held.person_id}
    unit.audit(call.principal.id, what, request.id, **said)
    unit.tell(what, request.id, partner_id=request.partner_id, request_id=request.id, **said)
    return {
        "request": request.id,
        **said,
        "assigned_by": held.assigned_by,
        "at": held.at,
        "until": held.until,
        "ended_at": held.ended_at,
    }
