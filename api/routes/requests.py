"""Requests: what a partner asks for, and how it stands."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session, col, or_, select
from starlette.responses import Response

from api.answers import Cursor, Limit, bad_cursor, decoded, json_answer, page
from api.dependencies import Call
from api.drafts import Draft, drafted
from api.fields import Body, Flag, Line, Prose, count
from api.guard import GuardedRoute
from api.idempotency import Answer, Json
from api.nudges import nudge
from sharing.errors import NotFound, bad_field
from sharing.orders import Verb
from sharing.records import endings, requests, standing
from sharing.records.requests import Request
from sharing.records.viewer import Viewer
from sharing.records.views import request_view
from sharing.request import moment
from sharing.stages import RequestState

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)


def _unsaid(value: object) -> bool:
    """A scope that does not say is the same as before there was anything to say."""
    return value is None


class Scope(Body):
    """Which data, and at most how many objects. `where` takes `taken_after` and `taken_before`."""

    fields: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50)] = ("photo",)
    where: Annotated[dict[str, Line], Field(max_length=20, default_factory=dict)]
    limit: Annotated[int, count(1, 1_000_000_000)]


class Delivery(Body):
    """How the package is put together: `webdataset` or `objects`; and a prefix in an S3 bucket of
    the partner's that it is to be pushed to, as `s3://bucket/prefix`."""

    format: Line = "webdataset"
    push: Line | None = Field(default=None, exclude_if=_unsaid)


class NewRequest(Body):
    """What a partner asks for. `sponsor` is the person inside who wants it: an id, an e-mail
    address or a name."""

    title: Line
    dataset: Line
    purpose: Line
    intended_use: Prose
    scope: Scope
    legal_basis: Line
    special_category_basis: Line | None = None
    retention_days: Annotated[int, count(1, 36_500)]
    trains_models: Flag = False
    onward_recipients: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    sponsor: Line | None = None
    delivery: Delivery = Delivery()


class Change(NewRequest):
    """What changes: a field that is left out stays as it is, one that is given replaces the old."""

    title: Line | None = None  # type: ignore[assignment]
    dataset: Line | None = None  # type: ignore[assignment]
    purpose: Line | None = None  # type: ignore[assignment]
    intended_use: Prose | None = None  # type: ignore[assignment]
    scope: Scope | None = None  # type: ignore[assignment]
    legal_basis: Line | None = None  # type: ignore[assignment]
    retention_days: Annotated[int, count(1, 36_500)] | None = None  # type: ignore[assignment]


@router.post("", name="requests.submit", status_code=201)
async def submit(body: NewRequest, call: Call) -> Response:
    """Submits a request. The answer means that it was recorded."""
    request_id = call.id_for("req")

    async def doing() -> Answer:
        draft = await call.read(
            lambda s: drafted(s, call, request_id, 1, body.model_dump(mode="json"))
        )
        held = call.ticket
        own = {
            "client": call.principal.id,
            "key": held.key if held else None,
            "body_hash": held.body_hash if held else None,
        }
        await call.order(
            Verb.SUBMIT,
            call.id_for("ord", "submit"),
            request_id,
            draft.digest,
            {**draft.order_body, **own},
        )
        return Answer(201, await _shown(call, request_id))

    return await call.act(doing)


@router.post("/{request_id}/revisions", name="requests.amend", status_code=201)
async def amend(request_id: str, body: Change, call: Call) -> Response:
    """Changes the scope: a new revision, a new digest, and every decision so far is void."""

    async def doing() -> Answer:
        draft = await call.read(lambda s: _changed(s, call, request_id, body))
        await call.order(
            Verb.AMEND,
            call.id_for("ord", "amend", request_id),
            request_id,
            draft.digest,
            {**draft.order_body, "client": call.principal.id},
        )
        return Answer(201, await _shown(call, request_id))

    return await call.act(doing)


@router.post("/{request_id}/withdraw", name="requests.withdraw")
async def withdraw(request_id: str, call: Call) -> Response:
    """The partner no longer asks. What was decided stays readable."""

    async def doing() -> Answer:
        await call.read(lambda s: standing.demand_withdrawable(own(s, call, request_id)))
        await call.order(Verb.WITHDRAW, call.id_for("ord", "withdraw", request_id), request_id)
        return Answer(200, await _shown(call, request_id))

    return await call.act(doing)


@router.get("", name="requests.list")
async def listed(
    call: Call,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[RequestState | None, Query()] = None,
    partner: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Requests, newest first; a partner's own, everybody's for people inside."""
    after = decoded(cursor, (str, str))
    at = moment(after[0]) if after else None
    if after is not None and at is None:
        raise bad_cursor()

    def query(session: Session) -> list[Json]:
        statement = select(Request)
        if call.partner_id is not None:
            statement = statement.where(Request.partner_id == call.partner_id)
        if partner is not None:
            statement = statement.where(Request.partner_id == partner)
        if state is not None:
            statement = statement.where(Request.state == state)
        if after is not None:
            statement = statement.where(
                or_(
                    col(Request.submitted_at) < at,
                    (col(Request.submitted_at) == at) & (col(Request.id) < after[1]),
                )
            )
        order = (col(Request.submitted_at).desc(), col(Request.id).desc())
        rows = session.exec(statement.order_by(*order).limit(limit + 1)).all()
        whom = viewer(session, call)
        return [request_view(whom, request) for request in rows]

    found = await call.read(query)
    last = found[limit - 1] if len(found) > limit else None
    return page(found[:limit], [last["submitted_at"], last["id"]] if last else None)


@router.get("/{request_id}", name="requests.show")
async def show(request_id: str, call: Call) -> Response:
    """One request: its stages, findings and decisions, its exports, and all that happened; for
    people inside `ending`, how it ended and what is owed since."""
    shown = await _shown(call, request_id)
    shown["counting"] = await _counting(call, shown)
    if call.partner_id is None:
        shown["ending"] = await call.read(lambda s: _ending(s, call, request_id))
    return json_answer(shown)


def _ending(session: Session, call: Call, request_id: str) -> Json | None:
    return endings.ending(viewer(session, call), own(session, call, request_id))


async def _counting(call: Call, shown: Json) -> Json | None:
    """How far the count of the scope has come, while gate 2 waits for it; for people inside."""
    gathering = shown["waiting_for"] is None and shown["state"] == RequestState.PURPOSE_REVIEW
    if call.partner_id is not None or not gathering:
        return None
    found = await call.backend.engine.counting(shown["id"])
    return None if found is None else asdict(found)


def own(session: Session, call: Call, request_id: str) -> Request:
    """The request, if it is this caller's to see; for a partner another's is as good as absent."""
    request = requests.get(session, request_id)
    if call.partner_id is not None and request.partner_id != call.partner_id:
        raise NotFound("request", request_id)
    return request


def viewer(session: Session, call: Call) -> Viewer:
    """Whom a request is shown to in this call."""
    inside, person = call.partner_id is None, call.principal.person_id or ""
    return Viewer(session, inside=inside, person=person, nudge=nudge(call))


def _changed(session: Session, call: Call, request_id: str, change: Change) -> Draft:
    request = own(session, call, request_id)
    standing.demand_amendable(request)
    # An object that is given replaces the old one whole, so what it leaves out has its default.
    given = change.model_dump(mode="json", include=change.model_fields_set)
    if not given:
        raise bad_field("body", "name at least one field that changes.")
    for name, value in given.items():
        if value is None and NewRequest.model_fields[name].is_required():
            raise bad_field(name, "cannot be null: leave it out to keep it as it is.")
    body = {**requests.revision_row(session, request).body, **given}
    return drafted(session, call, request_id, request.revision + 1, body)


async def _shown(call: Call, request_id: str) -> Json:
    return await call.read(
        lambda session: request_view(viewer(session, call), own(session, call, request_id))
    )
