"""An engineer's exports at `/exports`: four views, filters that are addresses, pages by cursor."""

from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages import export_numbers, export_words
from api.pages.doors import Visit, hang
from api.pages.frame import page
from sharing.records import export_list
from sharing.records.export_list import ENDED, Show, Sought
from sharing.stages import ExportState

PAGE = 25
LONGEST = 100
VIEWS = {
    Show.RUNNING: "Running",
    Show.WAITING: "Waiting for a second yes",
    Show.READY: "Ready to start",
    Show.ENDED: "Ended",
}


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/exports", "pages.exports", _exports)


async def _exports(visit: Visit) -> Response:
    sought = asked(visit)
    found = await visit.call.read(
        lambda s: export_list.listed(s, visit.call.actor(s), sought, PAGE)
    )
    query = visit.call.query_params
    kept = {name: query[name][:LONGEST] for name in ("q", "partner", "ended") if query.get(name)}
    return page(
        "exports.html",
        200,
        visit=visit,
        sought=sought,
        found=found,
        views=VIEWS,
        ways=ENDED,
        kept=kept,
        say=export_words,
        numbers=export_numbers.numbers,
        link=lambda **more: f"/exports?{urlencode({'show': sought.show, **kept, **more})}",
        following=encoded(found.next) if found.next else None,
    )


def asked(visit: Visit) -> Sought:
    """What the address asks for. What it misspells is as good as left out."""
    query = visit.call.query_params
    show, ended = query.get("show", ""), query.get("ended", "")
    after = decoded(query.get("after"), (str, str))
    return Sought(
        Show(show) if show in list(Show) else Show.RUNNING,
        query.get("q", "")[:LONGEST],
        query.get("partner", "")[:LONGEST],
        ExportState(ended) if ended in ENDED else None,
        (after[0], after[1]) if after else None,
    )
