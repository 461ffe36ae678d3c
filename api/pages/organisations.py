"""Organisations for people: found by a part of a name or by LEI, and one with who owns it."""

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.idempotency import Json
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import organisations
from sharing.records import organisation_views


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    hang(app, "/organisations", "pages.organisations", _list)
    hang(app, "/organisations/{organisation_id}", "pages.organisation", _one)


async def _list(visit: Visit) -> Response:
    search = asked(visit, "q")
    after = (decoded(visit.call.query_params.get("after"), (int,)) or [0])[0]

    def query(session: Session) -> tuple[list[int], list[Json]]:
        numbers = organisation_views.found(session, search, after, PAGE + 1)
        return numbers, organisation_views.shown_all(session, numbers[:PAGE])

    numbers, found = await visit.call.read(query)
    following = encoded([numbers[PAGE - 1]]) if len(numbers) > PAGE else ""
    return record(
        "organisations.html",
        200,
        visit,
        organisations=found,
        search=search,
        following=address("/organisations", q=search, after=following) if following else "",
    )


async def _one(visit: Visit) -> Response:
    which = visit.call.path_params["organisation_id"]
    one = await visit.call.read(lambda session: organisations.one(session, which))
    return record("organisation.html", 200, visit, organisation=one)
