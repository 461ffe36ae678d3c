"""The public register: who asked for data of users, what for, and what became of it. No token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic_core import to_json
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import register_words
from api.answers import Cursor, Limit, bad_cursor, decoded, encoded
from api.backend import Backend
from api.etags import tagged
from api.guard import GuardedRoute
from sharing.public_register import Outcome
from sharing.records import public_register
from sharing.records.public_register import Sought
from sharing.request import moment

router = APIRouter(prefix="/v1/register", tags=["register"], route_class=GuardedRoute)

Word = Annotated[str, Query(max_length=100)]
Year = Annotated[int | None, Query(ge=1, le=9998)]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the register, and where the next one begins."""

    items: list[dict[str, Any]]
    next: str | None


@router.get("", name="public_register.list")
async def listed(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    partner: Word = "",
    purpose: Word = "",
    outcome: Outcome | None = None,
    year: Year = None,
) -> Response:
    """All requests, the latest first, each with a summary in plain words. An open one only says
    that it exists. `partner` is an id or a part of a name; `year` is that of the submission."""
    sought = Sought(partner, purpose, outcome, year, place(cursor))
    backend: Backend = request.app.state.backend
    found = await backend.database.read(lambda session: page(session, sought, limit))
    return _answer(request, {"items": found.items, "next": found.next})


@router.get("/{request_id}", name="public_register.show")
async def show(request_id: str, request: Request) -> Response:
    """One request: purpose, recipient, volume, what each gate came to and when, retention, and
    whether something has to come back."""
    backend: Backend = request.app.state.backend
    return _answer(request, await backend.database.read(lambda session: entry(session, request_id)))


def page(session: Session, sought: Sought, limit: int) -> Found:
    """A page of entries with their summaries."""
    views = public_register.page(session, sought, limit + 1)
    more, views = len(views) > limit, views[:limit]
    at, key = public_register.place(session, views[-1]) if more else (None, "")
    return Found([told(one) for one in views], encoded([at.isoformat(), key]) if at else None)


def entry(session: Session, request_id: str) -> dict[str, Any]:
    """One entry with its summary; raises NotFound."""
    return told(public_register.entry(session, request_id))


def told(view: dict[str, Any]) -> dict[str, Any]:
    """An entry with its summary in fixed sentences."""
    return {**view, "summary": register_words.summary(view)}


def place(cursor: str | None) -> tuple[datetime, str] | None:
    """Where a page of the register begins; raises Refused for a cursor that we never gave."""
    after = decoded(cursor, (str, str))
    if after is None:
        return None
    at = moment(after[0])
    if at is None:
        raise bad_cursor()
    return at, after[1]


def _answer(request: Request, body: object) -> Response:
    return tagged(request, Response(to_json(body), media_type="application/json"))
