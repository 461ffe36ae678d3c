"""The register: yearly statements about one's interests."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, Flag
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.interests import SEES_EVERYBODYS
from sharing.errors import NotFound
from sharing.records import policies, register
from sharing.records.register import Standing, Stated
from sharing.records.tables import now
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/declarations", tags=["conflict"], route_class=GuardedRoute)


class NewDeclaration(Body):
    """One's own statement: `nothing_to_declare: false` means that the interests on record are all
    there are."""

    nothing_to_declare: Flag


@router.post("", name="register.declare", status_code=201)
async def declare(body: NewDeclaration, call: Call) -> Response:
    """States, for a year, that the register says all there is to say of oneself."""

    def work(unit: Unit) -> Json:
        person = call.actor(unit.session)
        row = register.declare(
            unit,
            person.id,
            nothing=body.nothing_to_declare,
            lasting=unit.ask(policies.register_lasting),
        )
        return {
            "id": row.id,
            "person": row.person_id,
            "statement": row.statement,
            "at": row.at,
            "valid_until": row.valid_until,
        }

    return await call.create(work)


@router.get("", name="register.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    standing: Annotated[Standing | None, Query(description="Only people who stand so.")] = None,
) -> Response:
    """How people stand in the register: oneself, and everybody for conflict officer and auditor."""
    if call.principal.person_id is None:
        raise NotFound("person", call.principal.id)
    after = (decoded(cursor, (str,)) or [""])[0]
    only = None if call.principal.role in SEES_EVERYBODYS else call.principal.person_id
    found = await call.read(lambda s: register.everybody(s, after, limit + 1, only, standing or ""))
    following = [found[limit - 1].person_id] if len(found) > limit else None
    return page([_view(one) for one in found[:limit]], following)


def _view(one: Stated) -> Json:
    last = one.last
    return {
        "person": one.person_id,
        "name": one.name,
        "standing": one.stands(now()),
        "id": last.id if last else None,
        "statement": last.statement if last else None,
        "at": last.at if last else None,
        "valid_until": last.valid_until if last else None,
    }
