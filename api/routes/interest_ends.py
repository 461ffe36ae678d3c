"""Saying that an interest has ended: of another's it counts at once; of one's own a year later, or
once a conflict officer has confirmed it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Day, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.interests import SEES_EVERYBODYS, ended_view
from sharing.conflict import Interest
from sharing.errors import NotFound, Refused
from sharing.records import interest_ends, interests, signoff
from sharing.records.interest_ends import Ended
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/interests", tags=["conflict"], route_class=GuardedRoute)


class NewEnd(Body):
    """The last day on which it was held, and how it ended."""

    until: Day
    reason: Annotated[Prose, Field(min_length=1)]


@router.post("/{interest_id}/end", name="interests.end", status_code=201)
async def end(interest_id: str, body: NewEnd, call: Call) -> Response:
    """Ends an interest of one's own, which is looked at for another year; or anybody else's as the
    conflict officer. Who is recused by it from a request that is on record stays so."""
    by = call.principal.person_id or ""

    def work(unit: Unit) -> Json:
        interest = _whose(unit.session, call, interest_id)
        row = interest_ends.end(unit, interest, body.until, body.reason, by)
        told = {"person": interest.person_id}
        unit.audit(by, "interest.ended", interest=interest.id, **told)
        unit.tell("interest.ended", interest.id, **told)
        signoff.look_again(unit.session)
        return {"interest": interest.id, **ended_view(Ended(row))}

    return await call.create(work)


class Confirmation(Body):
    """How the conflict officer knows that it has ended."""

    reason: Annotated[Prose, Field(min_length=1)]


@router.post("/{interest_id}/end/confirm", name="interests.confirm_end", status_code=201)
async def confirm(interest_id: str, body: Confirmation, call: Call) -> Response:
    """Confirms what somebody said of the end of their own interest: from then on it counts at once.
    Who is recused by it from a request that is on record stays so."""

    def work(unit: Unit) -> Json:
        interest, by = interests.get(unit.session, interest_id), call.actor(unit.session)
        ended = interest_ends.confirm(unit, interest, body.reason, by)
        told = {"person": interest.person_id}
        unit.audit(by.id, "interest.end_confirmed", interest=interest.id, **told)
        unit.tell("interest.end_confirmed", interest.id, **told)
        signoff.look_again(unit.session)
        return {"interest": interest.id, **ended_view(ended)}

    return await call.create(work)


def _whose(session: Session, call: Call, interest_id: str) -> Interest:
    """The interest; another's is as good as absent for who may not see it."""
    interest = interests.get(session, interest_id)
    if interest.person_id == call.principal.person_id:
        return interest
    if call.principal.role not in SEES_EVERYBODYS:
        raise NotFound("interest", interest_id)
    if call.principal.role is not Role.CONFLICT_OFFICER:
        raise Refused("forbidden", "Only the conflict officer ends interests of other people.")
    return interest
