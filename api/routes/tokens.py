"""Bearer tokens for people and for partners' clients; shown once, stored as a hash."""

import base64
import secrets

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import bad_field
from sharing.records import parties
from sharing.records.parties import Partner
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/tokens", tags=["parties"], route_class=GuardedRoute)


class NewToken(Body):
    """Whom the token speaks for, a person (id or e-mail) or a partner (id), and in which role."""

    person: Line | None = None
    partner: Line | None = None
    role: Role


@router.post("", name="tokens.create", status_code=201)
async def create(body: NewToken, call: Call) -> Response:
    """A token. This is the only time that it is shown."""
    if (body.person is None) == (body.partner is None):
        raise bad_field("person", "give either a person or a partner, and not both.")
    token = _secret(call)

    def work(unit: Unit) -> Json:
        person_id, partner_id = _holder(unit, body)
        parties.issue_token(
            unit.session, body.role, person_id=person_id, partner_id=partner_id, secret=token
        )
        unit.audit(
            call.principal.id, "token.issued", holder=person_id or partner_id, role=str(body.role)
        )
        return {"person": person_id, "partner": partner_id, "role": body.role}

    return await call.create(work, secret={"token": token})


def _secret(call: Call) -> str:
    """For an Idempotency-Key always the same one, so that a lost answer can be asked for again."""
    if call.ticket is None:
        return f"clr_{secrets.token_urlsafe(32)}"
    made = call.backend.derived("token", call.ticket.client, call.ticket.key, call.ticket.body_hash)
    return f"clr_{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def _holder(unit: Unit, body: NewToken) -> tuple[str | None, str | None]:
    """(person id, partner id); raises Refused where that holder cannot have that role."""
    if body.partner is not None:
        if unit.session.get(Partner, body.partner) is None:
            raise bad_field("partner", f"there is no partner {body.partner!r}: give its id.")
        if body.role is not Role.PARTNER:
            raise bad_field("role", "a partner's token has the role partner.")
        return None, body.partner
    person = parties.person_named(unit.session, body.person or "")
    if person is None:
        raise bad_field("person", f"there is no person {body.person!r}: give an id or e-mail.")
    if body.role not in parties.roles_of(unit.session, person.id):
        raise bad_field("role", f"{person.id} does not hold the role {body.role}.")
    if body.role is not Role.PARTNER:
        return person.id, None
    if person.partner_id is None:
        raise bad_field("role", f"{person.id} works for no partner.")
    return person.id, person.partner_id
