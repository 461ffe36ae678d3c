"""People on record, and the roles they hold."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, Email, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import Refused, bad_field
from sharing.records import parties
from sharing.records.parties import Partner, Person
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/people", tags=["parties"], route_class=GuardedRoute)


class NewPerson(Body):
    """A person. `partner` is the partner they work for, if they do: such people never decide."""

    name: Line
    email: Email
    roles: Annotated[list[Role], Field(max_length=len(Role))]
    partner: Line | None = None


@router.post("", name="people.create", status_code=201)
async def create(body: NewPerson, call: Call) -> Response:
    """Adds a person, with roles from now on."""

    def work(unit: Unit) -> Json:
        if parties.person_named(unit.session, body.email) is not None:
            raise Refused("exists", "There is a person with this e-mail address already.")
        if body.partner is not None and unit.session.get(Partner, body.partner) is None:
            raise bad_field("partner", f"there is no partner {body.partner!r}: give its id.")
        person = parties.add_person(unit.session, body.name, body.email, body.roles, body.partner)
        unit.session.flush()
        unit.audit(
            call.principal.id,
            "person.added",
            person=person.id,
            roles=sorted(str(role) for role in body.roles),
        )
        unit.tell("person.added", person.id)
        return _view(unit.session, person)

    return await call.create(work)


@router.get("", name="people.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Everybody on record with the roles held now, in the order of their ids."""
    after = decoded(cursor, (str,)) or [""]

    def query(session: Session) -> list[Json]:
        rows = session.exec(
            select(Person).where(col(Person.id) > after[0]).order_by(Person.id).limit(limit + 1)
        )
        return [_view(session, person) for person in rows.all()]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


def _view(session: Session, person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "partner": person.partner_id,
        "roles": sorted(parties.roles_of(session, person.id)),
        "created_at": person.created_at,
    }
