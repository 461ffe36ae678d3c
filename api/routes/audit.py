"""The audit log: who did what, or tried to."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlmodel import Session
from starlette.responses import Response

from api.answers import LAST_POSITION, Cursor, Limit, decoded, json_answer, page
from api.dependencies import Call
from api.guard import GuardedRoute
from api.idempotency import Json
from api.log_lines import Format, streamed
from sharing.errors import NotFound, bad_field
from sharing.records import audit_checks, audit_search
from sharing.records.audit_search import Wanted
from sharing.records.unit import Unit

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

Newest = Annotated[bool, Query(description="The latest first, instead of in their order.")]


def wanted(
    actor: Annotated[str, Query(max_length=100, description="By this one, named by id.")] = "",
    action: Annotated[
        str, Query(max_length=100, description="`export.released`, or `export` for all of them.")
    ] = "",
    about: Annotated[
        str, Query(max_length=100, description="About this one: the id of anything.")
    ] = "",
    request: Annotated[str, Query(max_length=100, description="Of one request.")] = "",
    since: Annotated[
        str, Query(alias="from", max_length=40, description="From this day or moment on.")
    ] = "",
    until: Annotated[
        str,
        Query(alias="to", max_length=40, description="Before this moment, or this day's end."),
    ] = "",
    refused: Annotated[bool, Query(description="Only attempts that were refused.")] = False,
) -> Wanted:
    """Which entries are asked for; raises Refused for a moment that is none."""
    first, last = moment("from", since), moment("to", until, end=True)
    return Wanted(actor, action, request or about, first, last, refused)


Form = Annotated[Format, Query(alias="format")]
Asked = Annotated[Wanted, Depends(wanted)]


def moment(field: str, said: str, *, end: bool = False) -> datetime | None:
    """A day, as its beginning or its end, or a moment with its zone; None where nothing is said."""
    if not said:
        return None
    try:
        at = datetime.fromisoformat(said)
        if len(said) == len("2026-05-31") and end:
            at += timedelta(days=1)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter: outside the calendar in UTC
        raise bad_field(field, "must be a day such as 2026-05-31, or a moment.") from None


@router.get("", name="audit.list")
async def listed(
    call: Call, asked: Asked, limit: Limit = 50, cursor: Cursor = None, newest: Newest = False
) -> Response:
    """Entries in the order in which they were written, or the latest first."""
    place = decoded(cursor, (int,))
    start = place[0] if place else LAST_POSITION if newest else 0

    def query(session: Session) -> list[Json]:
        side = {"before": start} if newest else {"after": start}
        found = audit_search.found(session, asked, limit + 1, **side)
        return [entry.model_dump() for entry in found]

    found = await call.read(query)
    return page(found[:limit], [found[limit - 1]["position"]] if len(found) > limit else None)


@router.get("/verify", name="audit.verify")
async def verify(call: Call) -> Response:
    """Reads the whole log: every entry is there, unchanged, and linked to the one before it."""
    return json_answer(await call.read(audit_checks.look))


@router.post("/verifications", name="audit.note", status_code=201)
async def note(call: Call) -> Response:
    """The same, and keeps in the log itself who looked, and what that came to."""
    seen = await call.read(audit_checks.look)

    def work(unit: Unit) -> Json:
        audit_checks.note(unit, call.principal.id, seen)
        return seen

    return await call.create(work)


@router.get("/verifications", name="audit.noted")
async def noted(call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """When the log was read from end to end, by whom, and what that came to; the latest first."""
    before = (decoded(cursor, (int,)) or [LAST_POSITION])[0]
    found = await call.read(lambda session: audit_checks.noted(session, before, limit + 1))
    return page(found[:limit], [found[limit - 1]["position"]] if len(found) > limit else None)


@router.get("/export", name="audit.export")
async def export(call: Call, asked: Asked, form: Form = Format.NDJSON) -> Response:
    """Every entry that is asked for, in their order, as one file: a JSON object a line, or CSV."""
    return await streamed(call, asked, form)


@router.get("/{position}", name="audit.show")
async def show(call: Call, position: Annotated[int, Path(ge=1, le=LAST_POSITION)]) -> Response:
    """One entry."""
    entry = await call.read(lambda session: audit_search.entry(session, position))
    if entry is None:
        raise NotFound("audit entry", str(position))
    return json_answer(entry.model_dump())
