"""Interests: a tie between a person and an organisation, declared; it recuses at once."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session, col, or_, select
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, page
from api.dependencies import Call
from api.fields import Body, Day, Lei, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from sharing.conflict import Interest, InterestKind, Organisation
from sharing.errors import Refused, bad_field
from sharing.records import (
    by_names,
    interest_ends,
    interests,
    late_interests,
    parties,
    policies,
    statements,
)
from sharing.records.interest_ends import Ended
from sharing.records.interests import DeclaredInterest, value
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import Role

router = APIRouter(prefix="/v1/interests", tags=["conflict"], route_class=GuardedRoute)

SEES_EVERYBODYS = frozenset({Role.CONFLICT_OFFICER, Role.AUDITOR})


class NewOrganisation(Body):
    """A legal entity by name and, where known, its Legal Entity Identifier."""

    name: Line
    lei: Lei | None = None


class NewInterest(Body):
    """A tie from one day on, still held if `until` is absent. `person`: an id or e-mail.
    `replaces`: an interest of theirs that this one says better, which counts no more."""

    person: Line
    organisation: NewOrganisation
    kind: InterestKind
    since: Annotated[Day, Field(alias="from")]
    until: Day | None = None
    detail: Annotated[Prose, Field(min_length=1)]
    replaces: Line | None = None


@router.post("", name="interests.declare", status_code=201)
async def declare(body: NewInterest, call: Call) -> Response:
    """Declares an interest: one's own, or anybody's as the conflict officer."""
    if body.until is not None and body.until < body.since:
        raise bad_field("until", "must not be before `from`.")

    by, at = call.principal.id, now()
    changed: list[str] = []

    def work(unit: Unit) -> Json:
        person_id = _whose(unit, call, body.person)
        organisation = Organisation(body.organisation.name, body.organisation.lei)
        interest = interests.declare(
            unit,
            person_id,
            organisation,
            body.kind,
            body.since,
            body.until,
            body.detail,
            by,
            at,
        )
        told = {"person": person_id}
        if body.replaces is not None:
            told["replaces"] = _replaced(unit, body.replaces, person_id, interest, by).id
        if person_id == call.principal.person_id:  # counts as one's yearly statement, too
            lasting = unit.ask(policies.register_lasting)
            stated = statements.state(unit, person_id, statements.INTERESTS, lasting)
            told["declaration"] = stated.id
        unit.audit(by, "interest.declared", interest=interest.id, **told)
        unit.tell("interest.declared", interest.id, **told)
        followed = late_interests.follow(unit, interest, by)
        changed[:] = followed.changed
        return {
            **_view(interest, body.detail, by, at, None),
            "recused_from": [request_id for request_id, _ in followed.recused],
            "voided": followed.voided,
            "marked": followed.marked,
        }

    answer = await call.create(work)
    await call.look_again(changed)
    return answer


@router.get("", name="interests.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    person: Annotated[str, Query(max_length=100, description="Only this person's, by id.")] = "",
    search: Annotated[
        str, Query(max_length=200, description="Part of an organisation's name, or a LEI.")
    ] = "",
    to_confirm: Annotated[
        bool, Query(description="Only those whose end is to be confirmed.")
    ] = False,
) -> Response:
    """Declared interests: everybody's for the conflict officer and the auditor, else one's own."""
    after = (decoded(cursor, (str,)) or [""])[0]
    found = await call.read(
        lambda s: listing(
            s, call, limit + 1, after=after, person=person, search=search, to_confirm=to_confirm
        )
    )
    return page(found[:limit], [found[limit - 1]["id"]] if len(found) > limit else None)


def listing(
    session: Session,
    call: Call,
    limit: int,
    *,
    after: str = "",
    person: str = "",
    search: str = "",
    to_confirm: bool = False,
) -> list[Json]:
    """What the caller may see, behind an id."""
    statement = select(DeclaredInterest).where(col(DeclaredInterest.id) > after)
    if call.principal.role not in SEES_EVERYBODYS:
        person = call.principal.person_id or ""
    if person:
        statement = statement.where(DeclaredInterest.person_id == person)
    if search:
        named = by_names.called(DeclaredInterest.organisation, search)
        statement = statement.where(or_(named, col(DeclaredInterest.lei) == search.upper()))
    if to_confirm:
        statement = statement.where(interest_ends.waiting(DeclaredInterest.id))
    rows = session.exec(statement.order_by(DeclaredInterest.id).limit(limit)).all()
    ended = interest_ends.ends(session, [row.id for row in rows])
    return [
        _view(value(row), _detail(call, row), row.declared_by, row.declared_at, ended.get(row.id))
        for row in rows
    ]


def _replaced(unit: Unit, replaced: str, person_id: str, interest: Interest, by: str) -> Interest:
    """The interest in whose place another is declared; raises Refused unless it is theirs."""
    earlier = interests.get(unit.session, replaced)
    if earlier.person_id != person_id:
        raise bad_field("replaces", "must be an interest of the same person.")
    interest_ends.end(unit, earlier, None, "Declared anew.", by, replaced_by=interest.id)
    return earlier


def _whose(unit: Unit, call: Call, named: str) -> str:
    """The person's id; raises Refused where the caller may not speak for that person."""
    if named == call.principal.person_id:
        return named
    person = parties.person_named(unit.session, named)
    if person is not None and person.id == call.principal.person_id:
        return person.id
    if call.principal.role is not Role.CONFLICT_OFFICER:
        raise Refused("forbidden", "Only the conflict officer declares interests of other people.")
    if person is None:
        raise bad_field("person", f"there is no person {named!r}: give an id or e-mail address.")
    return person.id


def _detail(call: Call, row: DeclaredInterest) -> str | None:
    """What is told in confidence: for the conflict officers and the person alone."""
    own = row.person_id == call.principal.person_id
    return row.detail if own or call.principal.role is Role.CONFLICT_OFFICER else None


def _view(
    interest: Interest, detail: str | None, declared_by: str, at: datetime, end: Ended | None
) -> Json:
    return {
        "id": interest.id,
        "person": interest.person_id,
        "organisation": {"name": interest.organisation.name, "lei": interest.organisation.lei},
        "kind": interest.kind,
        "from": interest.since,
        "until": interest.until,
        "detail": detail,
        "declared_by": declared_by,
        "declared_at": at,
        "ended": end and ended_view(end),
    }


def ended_view(end: Ended) -> Json:
    """How an interest ended: its last day, or what was declared in its place; who says so, and who
    confirmed it. `to_confirm`: it counts by its holder's own word alone."""
    said, confirmed = end.said, end.confirmed
    return {
        "until": said.until,
        "replaced_by": said.replaced_by,
        "counts_until": end.counts_until,
        "reason": said.reason,
        "by": said.said_by,
        "at": said.at,
        "to_confirm": end.to_confirm,
        "confirmed": confirmed
        and {"by": confirmed.confirmed_by, "at": confirmed.at, "reason": confirmed.reason},
    }
