"""Delegations: a gate's role in somebody else's hands for a while."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, Day, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.errors import Refused, bad_field
from sharing.records import delegations, handing_over, parties
from sharing.records.delegations import Delegation
from sharing.records.parties import Person
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/delegations", tags=["parties"], route_class=GuardedRoute)
DAY = timedelta(days=1)


class NewDelegation(Body):
    """Whose role (`person`, if not the caller's) goes to whom (id or e-mail address), from the
    beginning of one day (now, if absent) to the end of another."""

    to: Line
    role: Role
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Day
    reason: Prose
    person: Line | None = None


@router.post("", name="delegations.create", status_code=201)
async def create(body: NewDelegation, call: Call) -> Response:
    """Delegates a role: one's own, or anybody's as an admin."""
    if body.since is not None and body.until < body.since:
        raise bad_field("until", "must not be before `from`.")
    by = call.principal.id
    since = _midnight(body.since) if body.since else now()

    def work(unit: Unit) -> Json:
        row = handing_over.hand_over(
            unit,
            _delegator(unit.session, call, body),
            _named(unit.session, "to", body.to),
            body.role,
            since,
            _midnight(body.until) + DAY,
            body.reason,
            by,
        )
        return _view(row, None)

    return await call.create(work)


@router.post("/{delegation_id}/revoke", name="delegations.revoke", status_code=201)
async def revoke(delegation_id: str, call: Call) -> Response:
    """Takes a delegation back, from now on: by either of the two, or an admin."""

    def work(unit: Unit) -> Json:
        row = handing_over.get(unit.session, delegation_id)
        if call.principal.role is not Role.ADMIN and call.principal.person_id not in (
            row.delegator_id,
            row.delegate_id,
        ):
            raise Refused("forbidden", "Only the two it is about, and an admin, take it back.")
        handing_over.take_back(unit, row, call.principal.id)
        unit.session.flush()
        return _view(row, delegations.ends(unit.session, [row]).get(row.id))

    return await call.create(work)


@router.get("", name="delegations.list")
async def listed(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every delegation there ever was, in the order of their ids."""
    after = decoded(cursor, (str,)) or [""]

    def query(session: Session) -> list[Json]:
        rows = session.exec(
            select(Delegation)
            .where(col(Delegation.id) > after[0])
            .order_by(Delegation.id)
            .limit(limit + 1)
        ).all()
        ended = delegations.ends(session, rows)
        return [_view(row, ended.get(row.id)) for row in rows]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


def _delegator(session: Session, call: Call, body: NewDelegation) -> Person:
    person = _named(session, "person", body.person or call.principal.person_id or "")
    if call.principal.role is Role.ADMIN:
        return person
    if person.id != call.principal.person_id:
        raise Refused("forbidden", "Only an admin delegates the role of somebody else.")
    if body.role is not call.principal.role:
        raise Refused("forbidden", f"This token is for {call.principal.role}, not {body.role}.")
    return person


def _named(session: Session, field: str, name: str) -> Person:
    person = parties.person_named(session, name)
    if person is None:
        raise bad_field(field, f"there is no person {name!r}: give an id or e-mail address.")
    return person


def _midnight(day: Day) -> datetime:
    return datetime.combine(day, time(), UTC)


def _view(row: Delegation, ended: datetime | None) -> Json:
    return {
        "id": row.id,
        "person": row.delegator_id,
        "to": row.delegate_id,
        "role": row.role,
        "from": row.valid_from,
        "until": row.valid_until,
        "reason": row.reason,
        "made_by": row.made_by,
        "at": row.at,
        "ended_at": ended,
    }
