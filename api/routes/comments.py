"""Comments on a request: internal ones, and ones that the partner sees and may answer."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from api.answers import Cursor, Limit, bad_cursor, decoded, page
from api.dependencies import Call
from api.fields import Body, Line, Prose
from api.guard import GuardedRoute
from api.idempotency import Json
from api.routes.decisions import Gate
from api.routes.requests import own, viewer
from sharing.comments import audience_of
from sharing.eligibility import demand_disinterested
from sharing.records import comments, requests
from sharing.records.comments import Place
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.request import moment

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=GuardedRoute)


class NewComment(Body):
    """What is said, to whom, and about which answer (`field`, such as `scope.limit`) or gate if not
    the whole. `audience` is `internal` or `partner`; left out, it is the writer's own side."""

    text: Prose
    audience: Annotated[Literal["internal", "partner"] | None, Field()] = None
    field: Line | None = None
    stage: Gate | None = None


@router.post("/{request_id}/comments", name="comments.add", status_code=201)
async def add(request_id: str, body: NewComment, call: Call) -> Response:
    """Says something of a request. It cannot be changed or taken back."""

    def work(unit: Unit) -> Json:
        session = unit.session
        request = own(session, call, request_id)
        audience = audience_of(body.audience, inside=call.partner_id is None)
        author = call.partner_id or _disinterested(session, call, request)
        row = comments.add(
            unit,
            request,
            (author, call.principal.role),
            audience,
            body.text,
            field=body.field,
            stage=body.stage,
        )
        return comments.comment_view(viewer(session, call), row, request)

    return await call.create(work)


def _disinterested(session: Session, call: Call, request: Request) -> str:
    """The person who calls, if they may have a hand in the request; raises Refused."""
    person = call.actor(session)
    demand_disinterested(person, requests.case(session, request))
    return person.id


@router.get("/{request_id}/comments", name="comments.list")
async def listed(request_id: str, call: Call, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every comment that the caller may see, the oldest first."""
    after = _place(cursor)
    found = await call.read(lambda s: shown(s, call, request_id, after, limit + 1))
    last = found[limit - 1] if len(found) > limit else None
    return page(found[:limit], [last["at"], last["id"]] if last else None)


def shown(
    session: Session,
    call: Call,
    request_id: str,
    after: Place | None = None,
    limit: int = comments.ALL,
) -> list[Json]:
    """The comments on a request that the caller may see."""
    request, whom = own(session, call, request_id), viewer(session, call)
    inside = whom.inside and comments.may_read_internal(session, request, whom.person)
    return comments.page(whom, request, internal=inside, after=after, limit=limit)


def _place(cursor: str | None) -> Place | None:
    after = decoded(cursor, (str, str))
    if after is None:
        return None
    at = moment(after[0])
    if at is None:
        raise bad_cursor()
    return at, after[1]
