"""People on record, and the roles they hold."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.fields import Body, Email, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import NotFound, Refused, bad_field
from sharing.records import parties, people_views, roles
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


class NewRole(Body):
    """A role to be held from now on."""

    role: Role


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
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    search: Annotated[
        str, Query(max_length=200, description="Part of a name or e-mail address, or an id.")
    ] = "",
    role: Annotated[Role | None, Query(description="Only who holds this role now.")] = None,
) -> Response:
    """Everybody on record with the roles held now, in the order of their ids."""
    after = decoded(cursor, (str,)) or []

    def query(session: Session) -> list[Json]:
        return people_views.people(session, limit + 1, search=search, role=role, after=after)

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


@router.get("/{person_id}", name="people.show")
async def show(person_id: str, call: Call) -> Response:
    """One person, by id or e-mail address: every role ever held, other accounts, delegations, what
    is in hand, and which tokens there are."""

    def query(session: Session) -> Json:
        return people_views.person_view(session, named(session, person_id))

    return json_answer(await call.read(query))


@router.post("/{person_id}/roles", name="people.give", status_code=201)
async def give(person_id: str, body: NewRole, call: Call) -> Response:
    """Gives somebody a role, from now on. Nobody gives one to themselves."""

    def work(unit: Unit) -> Json:
        person = named(unit.session, person_id)
        roles.give(unit, person, body.role, call.principal.id)
        unit.session.flush()
        return _view(unit.session, person)

    return await call.create(work)


@router.post("/{person_id}/roles/{role}/take", name="people.take", status_code=201)
async def take(
    person_id: str, role: Annotated[Role, Path(description="The role.")], call: Call
) -> Response:
    """Takes a role away, now: its tokens end, and what was decided in it is worth nothing at a
    release that is still to come. Nobody takes one of their own."""

    def work(unit: Unit) -> Json:
        person = named(unit.session, person_id)
        roles.take(unit, person, role, call.principal.id)
        unit.session.flush()
        return _view(unit.session, person)

    answer = await call.create(work)
    call.backend.doorkeeper.forget()
    return answer


def named(session: Session, name: str) -> Person:
    """A person by id or e-mail address, or NotFound."""
    person = parties.person_named(session, name)
    if person is None:
        raise NotFound("person", name)
    return person


def _view(session: Session, person: Person) -> Json:
    return people_views.view(person, sorted(parties.roles_of(session, person.id)))
