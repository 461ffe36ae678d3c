"""What a partner owes, at `/duties`: by date, whenever it happens, and what must come back."""

from typing import Any

from fastapi import FastAPI
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.pages import partner_words
from api.pages.doors import Visit, hang
from api.pages.frame import page, urgency
from sharing.records import duties
from sharing.records.requests import Request

HEADINGS = {
    "late": "Their day has passed",
    "soon": "Due within a day",
    "week": "Due this week",
    "calm": "Later",
}


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/duties", "pages.duties", _duties)


async def _duties(visit: Visit) -> Response:
    values = await visit.call.read(lambda s: _owed(s, visit.call.partner_id or ""))
    return page("duties.html", 200, visit=visit, said=partner_words, **values)


def _owed(session: Session, partner_id: str) -> dict[str, Any]:
    owed = duties.of_partner(session, partner_id)
    ids = {one["request"] for one in owed["recalls"]}
    titles = select(Request.id, Request.title).where(col(Request.id).in_(ids))
    groups = [
        (heading, [one for one in owed["dated"] if urgency(one["at"]) == name])
        for name, heading in HEADINGS.items()
    ]
    return {
        "owed": owed,
        "groups": [(heading, some) for heading, some in groups if some],
        "titles": dict(session.exec(titles).all()),
    }
