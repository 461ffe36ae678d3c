"""An export while somebody looks at it, as server-sent events: its numbers and drawings in place,
and in words whatever makes the page another one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import KEEP_ALIVE, last_seen, streamed
from api.pages import export_numbers, export_words
from api.pages.doors import Visit, hang
from api.pages.export import mark
from api.pages.frame import HEADERS
from api.routes.exports import own_export
from sharing.records import export_list, export_shards
from sharing.records.export_list import Sought
from sharing.records.export_views import ended, export_view
from sharing.records.throughput import throughput

View = dict[str, Any]
LOOK_EVERY, QUIET_LOOKS = 1.0, 15
LIST_EVERY, LISTED = 2.0, 50


def add_to(app: FastAPI) -> None:
    """Hangs the stream into the application."""
    hang(app, "/exports/live", "pages.export_live", _all_live)  # before what takes any id
    hang(app, "/exports/{export_id}/live", "pages.export_live", _live)


async def _live(visit: Visit) -> Response:
    """The stream; nothing, for good, of an export that has ended and of which that is known."""
    seen = last_seen(visit.call.headers.get("last-event-id"), -1)
    if seen < 0:
        seen = last_seen(visit.call.query_params.get("after"), -1)
    view, told = await visit.call.read(lambda session: _now(session, visit))
    if ended(view) and seen == mark(view):
        return Response(status_code=204, headers=HEADERS)
    return visit.call.streaming(_stream(visit, view, told, seen))


async def _stream(
    visit: Visit, view: View, told: dict[str, str], seen: int
) -> AsyncIterator[bytes]:
    """Ends when the export does, or the session."""
    said: dict[str, str] = {}
    quiet = 0
    yield KEEP_ALIVE
    while await visit.call.backend.doorkeeper.known(visit.call) is not None:
        here = mark(view)
        if here != seen:
            seen, words = here, export_words.STATES[export_words.standing(view)]
            yield streamed({"said": words}, here, "changed")
        news = {name: text for name, text in told.items() if said.get(name) != text}
        if news:
            said, quiet = told, 0
            yield streamed(news, here, "now")
        if ended(view):
            return
        quiet += 1
        if quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE
        await asyncio.sleep(LOOK_EVERY)
        view, told = await visit.call.read(lambda session: _now(session, visit))


async def _all_live(visit: Visit) -> Response:
    """How far each export has come that runs now, for the list of them."""
    return visit.call.streaming(_listed(visit))


async def _listed(visit: Visit) -> AsyncIterator[bytes]:
    said: dict[str, str] = {}
    yield KEEP_ALIVE
    while await visit.call.backend.doorkeeper.known(visit.call) is not None:
        told = await visit.call.read(lambda session: _running(session, visit))
        news = {name: text for name, text in told.items() if said.get(name) != text}
        said = told
        yield streamed(news, 0, "now") if news else KEEP_ALIVE
        await asyncio.sleep(LIST_EVERY)


def _running(session: Session, visit: Visit) -> dict[str, str]:
    found = export_list.listed(session, visit.call.actor(session), Sought(), LISTED)
    told: dict[str, str] = {}
    for one in found.items:
        here = export_numbers.numbers(one)
        name = one["export"]
        told |= {f"{name}.part": here["part"], f"{name}.part@width": here["part"]}
        told[f"{name}.left"] = here["left"]
    return told


def _now(session: Session, visit: Visit) -> tuple[View, dict[str, str]]:
    _, export = own_export(session, visit.call, visit.call.path_params["export_id"])
    view = export_view(session, export, inside=True)
    shards = export_shards.every(session, export.id)
    shapes = export_numbers.shapes(
        throughput(session, export, shards), [one.state(export) for one in shards]
    )
    return view, export_numbers.numbers(view) | shapes
