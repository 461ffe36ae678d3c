"""Bearer tokens for people, partners' clients and subjects; shown once, stored as a hash."""

import base64
import json
import secrets

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import Call
from api.fields import Body, Line
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.consent_line import Reference
from sharing.errors import NotFound, bad_field
from sharing.records import parties
from sharing.records.parties import Partner, Token
from sharing.records.people_views import token_id
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/tokens", tags=["parties"], route_class=GuardedRoute)


class NewToken(Body):
    """Whom the token speaks for, a person (id or e-mail), a partner (id) or a subject (as the
    ledger names it), and in which role."""

    person: Line | None = None
    partner: Line | None = None
    subject: Reference | None = None
    role: Role


@router.post("", name="tokens.create", status_code=201)
async def create(body: NewToken, call: Call) -> Response:
    """A token, and the id that it is ended by. This is the only time that the token is shown."""
    if sum(holder is not None for holder in (body.person, body.partner, body.subject)) != 1:
        raise bad_field("person", "give either a person, a partner or a subject, and only one.")
    if (body.subject is not None) != (body.role is Role.SUBJECT):
        raise bad_field("role", "a subject's token has the role subject, and no other has it.")
    token = _secret(call)

    def work(unit: Unit) -> Json:
        person_id, partner_id = _holder(unit, body)
        parties.issue_token(
            unit.session,
            body.role,
            person_id=person_id,
            partner_id=partner_id,
            subject=body.subject,
            secret=token,
        )
        named = parties.subject_id(body.subject) if body.subject is not None else None
        holder = person_id or partner_id or named
        unit.audit(call.principal.id, "token.issued", holder=holder, role=str(body.role))
        unit.session.flush()
        token_row = unit.session.get_one(Token, parties.hashed(token))
        given = {"id": token_id(token_row), "person": person_id, "partner": partner_id}
        given |= {"role": body.role}
        return given if named is None else {**given, "subject": body.subject}

    return await call.create(work, secret={"token": token})


@router.post("/{token_id}/revoke", name="tokens.revoke", status_code=201)
async def revoke(token_id: str, call: Call) -> Response:
    """Ends a token or a session, by the id that its holder's page and call show."""

    def work(unit: Unit) -> Json:
        row = parties.token_by_id(unit.session, token_id)
        if row is None:
            raise NotFound("token", token_id)
        if row.revoked_at is None:
            row.revoked_at = now()
            unit.session.add(row)
            holder = parties.speaks_for(row)
            unit.audit(call.principal.id, "token.revoked", holder=holder, role=row.role)
        return {"id": token_id, "role": row.role, "revoked_at": row.revoked_at}

    answer = await call.create(work)
    call.backend.doorkeeper.forget()
    return answer


def secret_of(answer: Response) -> str:
    """The token in an answer that has made one."""
    return str(json.loads(bytes(answer.body))["token"])


def _secret(call: Call) -> str:
    """For an Idempotency-Key always the same one, so that a lost answer can be asked for again."""
    if call.ticket is None:
        return f"clr_{secrets.token_urlsafe(32)}"
    made = call.backend.derived("token", call.ticket.client, call.ticket.key, call.ticket.body_hash)
    return f"clr_{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def _holder(unit: Unit, body: NewToken) -> tuple[str | None, str | None]:
    """(person id, partner id); raises Refused where that holder cannot have that role."""
    if body.subject is not None:
        return None, None
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
