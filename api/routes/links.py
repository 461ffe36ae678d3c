"""Links: two accounts of one person."""

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import NotFound, Refused, bad_field
from sharing.records import accounts, linking, parties
from sharing.records.parties import Person
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/people", tags=["parties"], route_class=GuardedRoute)


class NewLink(Body):
    """`same_as`: another account of the same person, by id or e-mail."""

    same_as: Line


@router.post("/{person_id}/links", name="people.link", status_code=201)
async def link(person_id: str, body: NewLink, call: Call) -> Response:
    """Says, for good, that two accounts are one person's: their decisions count as one's."""
    changed: list[str] = []

    def work(unit: Unit) -> Json:
        first = unit.session.get(Person, person_id)
        if first is None:
            raise NotFound("person", person_id)
        second = parties.person_named(unit.session, body.same_as)
        if second is None or second.id == first.id:
            raise bad_field("same_as", "must be another person on record, by id or e-mail.")
        followed = linking.link(unit, first.id, second.id, call.principal.id)
        if followed is None:
            raise Refused("exists", "The two are one person already.")
        changed[:] = followed.changed
        return {
            "person": accounts.human(unit.session, first.id),
            "accounts": sorted(accounts.accounts(unit.session, first.id)),
            "voided": followed.voided,
        }

    answer = await call.create(work)
    await call.look_again(changed)
    return answer
