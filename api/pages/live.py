"""What happens to a request while somebody looks at it, as server-sent events: only that it
changed, and in which words. The page says so, and changes nothing under the reader's hand."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI
from sqlmodel import Session, col, select
from starlette.responses import Response

from api.answers import KEEP_ALIVE, last_seen, streamed
from api.pages import partner_words, words
from api.pages.doors import Visit, hang
from api.routes.requests import own
from sharing.records.events import INSIDE_ONLY, Event, data_for

LOOK_EVERY, QUIET_LOOKS, AT_ONCE = 1.0, 15, 50


def add_to(app: FastAPI) -> None:
    """Hangs the stream into the application."""
    hang(app, "/requests/{request_id}/live", "pages.live", _live)


async def _live(visit: Visit) -> Response:
    request_id = visit.call.path_params["request_id"]
    await visit.call.read(lambda session: own(session, visit.call, request_id).id)
    seen = last_seen(visit.call.headers.get("last-event-id"))
    seen = seen or last_seen(visit.call.query_params.get("after"))
    return visit.call.streaming(_stream(visit, request_id, seen))


async def _stream(visit: Visit, request_id: str, after: int) -> AsyncIterator[bytes]:
    """Ends when the session does."""
    quiet, inside = 0, visit.call.partner_id is None
    line = words.event if inside else partner_words.event
    yield KEEP_ALIVE
    while await visit.call.backend.doorkeeper.known(visit.call) is not None:
        found = await visit.call.read(
            partial(_since, request_id=request_id, after=after, inside=inside)
        )
        for event in found:
            after, quiet = event.position, 0
            told = {**data_for(event, inside=inside), "type": event.type}
            yield streamed({"said": line(told)}, after, "changed")
        quiet += 1
        if quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE
        await asyncio.sleep(LOOK_EVERY)


def _since(session: Session, request_id: str, after: int, *, inside: bool) -> list[Event]:
    rows = select(Event).where(Event.request_id == request_id, col(Event.position) > after)
    if not inside:
        rows = rows.where(col(Event.type).not_in(INSIDE_ONLY))
    return list(session.exec(rows.order_by(col(Event.position)).limit(AT_ONCE)))
