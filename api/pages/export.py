"""The page of one export: how it comes on, what holds it up, and what can be done about it."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.auth import demand_allowed
from api.pages import export_numbers, export_words
from api.pages.acts import Errors
from api.pages.doors import Visit, hang
from api.pages.export_way import way
from api.pages.frame import page
from api.routes.exports import own_export
from api.routes.requests import viewer
from sharing.errors import Refused
from sharing.records import downloads, events, export_shards, exports, requests, standing
from sharing.records.export_views import export_view
from sharing.records.exports import Export
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.records.throughput import throughput
from sharing.records.viewer import Viewer
from sharing.records.waiting import waiting_for
from sharing.settings import Settings
from sharing.stages import LIVE_EXPORTS, ExportState, RequestState
from workflows.messages import export_workflow, request_workflow

View = dict[str, Any]
NOTABLE, UNREADABLE, FETCHED = 8, 12, 8


def add_to(app: FastAPI) -> None:
    """Hangs the page into the application."""
    hang(app, "/exports/{export_id}", "pages.export", _export)


async def _export(visit: Visit) -> Response:
    return await shown(visit, 200)


async def shown(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """The page as it stands now; with `errors`, what was sent is still in the form."""
    values = await visit.call.read(lambda session: _all(session, visit))
    return page("export.html", status, visit=visit, errors=Errors(errors or {}), **values)


def _all(session: Session, visit: Visit) -> View:
    request, export = own_export(session, visit.call, visit.call.path_params["export_id"])
    whom = viewer(session, visit.call)
    view = export_view(session, export, inside=True)
    shards = export_shards.every(session, export.id)
    moved = throughput(session, export, shards)
    states = [one.state(export) for one in shards]
    rows, at = export_numbers.steps(view["stages"]), now()
    return {
        "export": view,
        "request": request,
        "body": requests.revision_row(session, request).body,
        "partner": whom.name(request.partner_id),
        "name": whom.name,
        "say": export_words,
        "standing": export_words.standing(view),
        "live": export.state in LIVE_EXPORTS,
        "mark": mark(view),
        "way": way(view, export.planned_at, whom.name),
        "at": at,
        "silent": (at - (view["progress"]["last_sign_at"] or at)).total_seconds(),
        "now": export_numbers.numbers(view) | export_numbers.shapes(moved, states),
        "moved": moved,
        "curve": export_numbers.curve,
        "cells": min(len(states), export_numbers.CELLS),
        "steps": rows,
        "slowest": export_numbers.slowest(rows),
        "computed": export_numbers.computed(view["stages"]),
        "notable": export_shards.notable(session, export, NOTABLE),
        "most": {"notable": NOTABLE, "unreadable": UNREADABLE, "fetched": FETCHED},
        "fetched": downloads.of_export(session, export.id, request.id) if view["release"] else [],
        "happened": _happened(session, export),
        "may": _may(session, visit, request, export),
        "others": _others(session, whom, request, export),
        "again": export.state not in LIVE_EXPORTS and request.state == RequestState.CLEARED,
        "engine": engine_links(visit.call.backend.settings, export.id, request.id),
    }


def mark(view: View) -> int:
    """How an export stands, as one number: another one means that the page looks otherwise."""
    progress = view["progress"]
    flags = (view["paused_at"], progress["stalled"], view["release"], progress["shards"]["total"])
    raised = sum(1 << place for place, flag in enumerate(flags) if flag)
    return list(ExportState).index(view["state"]) * 16 + raised


def engine_links(settings: Settings, export_id: str, request_id: str) -> dict[str, str]:
    """Where the engine's own pages show the run and its request; none where nobody said where."""
    if not settings.temporal_ui_url:
        return {}
    place = f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{settings.temporal_namespace}"
    ids = {"The run": export_workflow(export_id), "The request": request_workflow(request_id)}
    return {name: f"{place}/workflows/{quote(one, safe='')}" for name, one in ids.items()}


def _happened(session: Session, export: Export) -> list[View]:
    return [
        {"at": one.at, "type": one.type, **one.data}
        for one in events.of_request(session, export.request_id)
        if one.subject == export.id
    ]


def _may(session: Session, visit: Visit, request: Request, export: Export) -> dict[str, str]:
    """What stands in this person's way, act by act: empty where nothing does."""
    person = visit.call.actor(session)
    asked: dict[str, Callable[[], None]] = {
        "confirm": lambda: standing.demand_confirmable(session, request, export, person),
        "pause": lambda: standing.demand_steerable(session, request, export, person),
        "cancel": lambda: standing.demand_cancellable(session, request, export, person),
    }
    found = {}
    for act, demand in asked.items():
        try:
            demand_allowed(f"exports.{act}", visit.role)
            demand()
            found[act] = ""
        except Refused as refused:
            found[act] = refused.detail
    if exports.released(session, export.id):
        found["cancel"] = "The export was released already: its bytes count as gone."
    return found


def _others(session: Session, whom: Viewer, request: Request, export: Export) -> list[str]:
    """Who can give the second yes."""
    if export.state != ExportState.AWAITING_CONFIRMATION:
        return []
    case = requests.case(session, request)
    waits = waiting_for(whom, request, case, exports.of_request(session, request.id))
    return [whom.name(one) for one in (waits or {}).get("people", [])]
