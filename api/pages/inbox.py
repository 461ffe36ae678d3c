"""A reviewer's inbox at `/reviews`: four views, filters that are addresses, pages by cursor."""

from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.doors import Visit, hang
from api.pages.frame import page, urgency
from sharing.records import inbox as inboxes
from sharing.records.inbox import Inbox, Show, Sought

PAGE = 25
LONGEST = 100
VIEWS = {
    Show.WAITING: "Waiting for me",
    Show.UNCLAIMED: "In nobody's hands",
    Show.OTHERS: "With others",
    Show.DECIDED: "Decided by me",
}
DUE = {"1": "within a day", "7": "within a week"}
GROUPS = {"late": "Overdue", "soon": "Due within a day", "week": "Due this week", "calm": "Later"}


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/reviews", "pages.reviews", _reviews)


async def _reviews(visit: Visit) -> Response:
    sought = asked(visit)
    found = await visit.call.read(
        lambda s: inboxes.inbox(s, visit.call.actor(s), visit.role, sought, PAGE)
    )
    query = visit.call.query_params
    kept = {name: query[name][:LONGEST] for name in ("q", "partner", "due") if query.get(name)}
    return page(
        "reviews.html",
        200,
        visit=visit,
        sought=sought,
        found=found,
        groups=_groups(found, sought.show),
        views=VIEWS,
        due=DUE,
        kept=kept,
        link=lambda **more: f"/reviews?{urlencode({'show': sought.show, **kept, **more})}",
        following=encoded(found.next) if found.next else None,
    )


def asked(visit: Visit) -> Sought:
    """What the address asks for. What it misspells is as good as left out."""
    query = visit.call.query_params
    show = query.get("show", "")
    days = query.get("due", "")
    after = decoded(query.get("after"), (str, str))
    return Sought(
        Show(show) if show in list(Show) else Show.WAITING,
        query.get("q", "")[:LONGEST],
        query.get("partner", "")[:LONGEST],
        int(days) if days in DUE else None,
        (after[0], after[1]) if after else None,
    )


def _groups(found: Inbox, show: Show) -> list[tuple[str, list[dict[str, object]]]]:
    """Rows under the headings by which they are due; decisions have none."""
    if show is Show.DECIDED:
        return [("", found.items)] if found.items else []
    return [
        (heading, some)
        for name, heading in GROUPS.items()
        if (some := [one for one in found.items if urgency(one["until"]) == name])
    ]
