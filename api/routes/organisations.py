"""Organisations: who owns and controls whom, told one by one or in files of lines."""

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, decoded, json_answer, page
from api.consent_lines import LINES
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.organisation_lines import NewOrganisation, Sorted, by_source, sort_out
from sharing.errors import NotFound, Refused
from sharing.records import (
    gathering,
    late_interests,
    organisation_views,
    organisations,
    signoff,
)
from sharing.records.gathering import Gathered
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/organisations", tags=["conflict"], route_class=GuardedRoute)

SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": NewOrganisation.model_json_schema()},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post("", name="organisations.add", status_code=201, openapi_extra=SCHEMA)
async def add(call: Call) -> Response:
    """Puts an organisation on record, with its owners; or many, one JSON object a line. What was
    told before in the same words is known, and changes nothing."""
    changed: list[str] = []
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in LINES:
        lines = enumerate(call.sent.split(b"\n"), start=1)
        found = await asyncio.to_thread(sort_out, [(n, text) for n, text in lines if text.strip()])
        answer = await call.create(lambda unit: _taken_in(unit, call, found, changed))
        await call.look_again(changed)
        return answer
    if kind != "application/json":
        raise Refused(
            "unsupported_media_type",
            "Send one organisation as `application/json`, or one object a line as "
            "`application/x-ndjson`.",
        )
    told = _one(call.sent)

    def work(unit: Unit) -> Json:
        counted = _taken_in(unit, call, Sorted([told]), changed)
        identity = next(by_source([told]))[1][0].identity
        number = gathering.number_of(unit.session, identity)
        shown = organisation_views.shown_all(unit.session, [number])[0]
        return {**shown, "warnings": counted["warnings"], "recused": counted["recused"]}

    answer = await call.create(work)
    await call.look_again(changed)
    return answer


@router.get("", name="organisations.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    search: Annotated[
        str | None, Query(max_length=200, description="Part of a name, or a LEI.")
    ] = None,
) -> Response:
    """Organisations on record, by part of a name or alias, or by LEI; with who owns them."""
    after = decoded(cursor, (int,)) or [0]

    def query(session: Session) -> tuple[list[int], list[Json]]:
        numbers = organisation_views.found(session, search, after[0], limit + 1)
        return numbers, organisation_views.shown_all(session, numbers[:limit])

    numbers, items = await call.read(query)
    return page(items, [numbers[limit - 1]] if len(numbers) > limit else None)


@router.get("/{organisation_id}", name="organisations.show")
async def show(organisation_id: str, call: Call) -> Response:
    """One organisation: its owners line by line, what it owns, and which partner it is."""
    return json_answer(await call.read(lambda session: one(session, organisation_id)))


def one(session: Session, organisation_id: str) -> Json:
    """An organisation by the id that a list shows, or NotFound."""
    number = organisations.number_of(organisation_id)
    if number is None or not organisations.named(session, [number]):
        raise NotFound("organisation", organisation_id)
    return organisation_views.whole(session, number)


def _one(body: bytes) -> NewOrganisation:
    try:
        json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise Refused("invalid_json", f"Not JSON: {str(failure)[:200]}.") from None
    try:
        return NewOrganisation.model_validate_json(body)
    except ValidationError as failure:
        errors = failure.errors(include_url=False, include_context=False)
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in errors]
        ) from None


def _taken_in(unit: Unit, call: Call, found: Sorted, changed: list[str]) -> Json:
    """Gathers the good lines; whoever is matched now steps aside at once. `changed`: requests whose
    process has to hear of it."""
    total = Gathered()
    for source, entities, holds in by_source(found.good):
        done = gathering.gather(unit.session, entities, holds, source)
        total.organisations += done.organisations
        total.edges += done.edges
        total.known += done.known
        total.changed |= done.changed
        total.over_all += done.over_all
    by, followed = call.principal.id, late_interests.Followed()
    counts: Json = {"organisations": total.organisations, "edges": total.edges}
    unit.audit(by, "organisations.added", **counts, known=total.known, refused=len(found.refused))
    unit.tell("organisations.added", "organisations", **counts)
    if total.changed:
        followed = late_interests.follow_all(unit, by)
        signoff.look_again(unit.session)
    changed[:] = followed.changed
    warnings = [f"More than all of {name} is owned, as recorded." for name in total.over_all]
    return {
        **counts,
        "known": total.known,
        "refused": found.refused,
        "warnings": warnings,
        "recused": [{"request": one, "person": who} for one, who in followed.recused],
        "voided": followed.voided,
        "marked": followed.marked,
    }
