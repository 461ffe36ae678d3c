"""What a row of the list of exports says: for the few of one page, in a few statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, func, select

from sharing.eligibility import Act, Actor, demand
from sharing.errors import NotEligible
from sharing.records import export_progress
from sharing.records.accounts import accounts
from sharing.records.cases import cases
from sharing.records.exports import Export, ExportShard
from sharing.records.inbox_rows import bodies_of
from sharing.records.parties import Person
from sharing.records.requests import Request
from sharing.stages import ExportState

View = dict[str, Any]
Row = tuple[Request, Export | None]

# What the caller may be the one to do next.
_NEXT = {None: Act.TRIGGER, ExportState.AWAITING_CONFIRMATION: Act.CONFIRM}


def shown(
    session: Session, person: Actor, rows: Sequence[Row], partners: Mapping[str, str]
) -> list[View]:
    """Rows of exports, or of requests that have none. `act` is what may be done next, `may` whether
    this person may do it, and `why` what stands in their way."""
    requests = [request for request, _ in rows]
    runs = [export for _, export in rows if export is not None]
    ids = select(Request.id).where(col(Request.id).in_([one.id for one in requests]))
    bodies, known = bodies_of(session, requests), cases(session, requests, ids)
    people, done = _names(session, runs), _done(session, runs)
    views = []
    for request, export in rows:
        body, case = bodies[request.id], known.of[request.id]
        act = _NEXT.get(ExportState(export.state) if export else None, Act.STEER)
        if export is not None:
            by = export.triggered_by
            case = replace(case, triggered_by=by, triggerers=accounts(session, by))
        why = _why(act, person, case)
        views.append(
            {
                "request": request.id,
                "title": request.title,
                "partner": request.partner_id,
                "partner_name": partners.get(request.partner_id, request.partner_id),
                "purpose": body["purpose"],
                "dataset": body["dataset"],
                "objects": body["scope"]["limit"],
                "digest": request.digest,
                "until": request.waiting_until,
                "act": act,
                "may": not why,
                "why": why or None,
                "export": export.id if export else None,
                **(_run(session, export, people, done) if export else {}),
            }
        )
    return views


def _run(
    session: Session, export: Export, people: Mapping[str, str], done: Mapping[str, View]
) -> View:
    running = export.state == ExportState.RUNNING
    return {
        "state": export.state,
        "progress": export_progress.progress(session, export)[0] if running else done[export.id],
        "triggered_by": export.triggered_by,
        "triggered_by_name": people.get(export.triggered_by),
        "triggered_at": export.triggered_at,
        "confirmed_by": export.confirmed_by,
        "confirmed_by_name": people.get(export.confirmed_by or ""),
        "paused_at": export.paused_at if running else None,
        "priority": export.priority,
        "code": export.code,
        "ended_at": export.ended_at,
    }


def _why(act: Act, person: Actor, case: Any) -> str:
    try:
        demand(act, person, case)
    except NotEligible as refused:
        return refused.why
    return ""


def _names(session: Session, runs: Iterable[Export]) -> dict[str, str]:
    ids = {one for run in runs for one in (run.triggered_by, run.confirmed_by) if one}
    return dict(session.exec(select(Person.id, Person.name).where(col(Person.id).in_(ids))).all())


def _done(session: Session, runs: Sequence[Export]) -> dict[str, View]:
    """What is committed of each, in one statement."""
    found = session.execute(
        select(
            ExportShard.export_id,
            func.count(),
            func.sum(ExportShard.objects),
            func.sum(ExportShard.bytes),
        )
        .where(
            col(ExportShard.export_id).in_([run.id for run in runs]),
            col(ExportShard.committed_at).is_not(None),
        )
        .group_by(col(ExportShard.export_id))
    ).all()
    made = {name: (int(n), int(objects), int(size)) for name, n, objects, size in found}
    views = {}
    for run in runs:
        shards, objects, size = made.get(run.id, (0, 0, 0))
        views[run.id] = {
            "objects": objects,
            "bytes": size,
            "total": run.total,
            "shards": {"done": shards, "total": run.shards},
        }
    return views
