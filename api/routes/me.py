"""Who I am, as the API knows me."""

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from api.answers import json_answer
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.records import parties
from sharing.records.parties import Partner, Person

router = APIRouter(prefix="/v1/me", tags=["parties"], route_class=GuardedRoute)


@router.get("", name="me.show")
async def show(call: Call) -> Response:
    """The person, partner or subject that the token speaks for, and the roles that are held."""
    me = call.principal

    def query(session: Session) -> Json:
        person = session.get(Person, me.person_id) if me.person_id else None
        partner = session.get(Partner, me.partner_id) if me.partner_id else None
        shown = person or partner
        return {
            "id": me.id,
            "role": me.role,
            "person": me.person_id,
            "partner": me.partner_id,
            "name": shown.name if shown else me.id,
            "email": person.email if person else None,
            "roles": sorted(parties.roles_of(session, person.id)) if person else [me.role],
            **({"subject": me.subject} if me.subject is not None else {}),
        }

    return json_answer(await call.read(query))
