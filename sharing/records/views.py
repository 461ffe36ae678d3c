"""What a request looks like from outside: to people inside, and to the partner who asks.

A partner learns how its own request stands, never who inside acted on it or has an interest.
"""

from collections.abc import Mapping, Sequence

from sqlmodel import col, select

from sharing.records import (
    blind,
    conflict_views,
    events,
    export_views,
    exports,
    hands,
    requests,
)
from sharing.records.events import Event
from sharing.records.exports import Export
from sharing.records.requests import Decision, Gate, Request, RequestRevision
from sharing.records.viewer import View, Viewer
from sharing.records.waiting import waiting_for
from sharing.stages import GATES, RequestState, Stage


def request_view(viewer: Viewer, request: Request) -> View:
    """A request with its stages in process order, its exports, and everything that happened."""
    return {**_standing(viewer, request), "timeline": _timeline(viewer, request)}


def listed_views(viewer: Viewer, rows: Sequence[Request]) -> dict[str, View]:
    """The same of several, by id, but for what happened: a list shows only how each stands."""
    known = viewer.session.info.setdefault("revisions", {})  # where `revision_row` looks
    current = {row.id: row.revision for row in rows}
    found = select(RequestRevision).where(col(RequestRevision.request_id).in_(current))
    for row in viewer.session.exec(found):
        if row.number == current[row.request_id]:
            known[row.request_id, row.number] = row
    return {row.id: _standing(viewer, row) for row in rows}


def _standing(viewer: Viewer, request: Request) -> View:
    session = viewer.session
    revision = requests.revision_row(session, request)
    runs = exports.of_request(session, request.id)
    gates = requests.gates_of(session, request.id)  # first: whoever asks for one of them has it
    taken = requests.decisions_of(session, request.id)
    case = requests.case(session, request, taken=taken)
    return {
        "id": request.id,
        "partner": request.partner_id,
        "partner_name": viewer.name(request.partner_id),
        "state": request.state,
        "revision": request.revision,
        "digest": request.digest,
        "policy": revision.policy,
        "waiting_for": waiting_for(viewer, request, case, runs),
        "stages": _stages(viewer, request, gates, taken, runs),
        "exports": [export_views.export_view(session, run, inside=viewer.inside) for run in runs],
        **revision.body,
        "submitted_at": request.submitted_at,
        "ended_at": request.ended_at,
        **_interests(viewer, request),
    }


def _timeline(viewer: Viewer, request: Request) -> list[View]:
    return [
        _happened(viewer, event)
        for event in events.of_request(viewer.session, request.id)
        if viewer.inside or event.type not in events.INSIDE_ONLY
    ]


def _interests(viewer: Viewer, request: Request) -> View:
    if not viewer.inside:
        return {}
    return {
        "late_interests": conflict_views.late_view(viewer.session, request.id, viewer.name),
        "waivers": conflict_views.waivers_view(viewer.session, request.id, viewer.name),
    }


def _stages(
    viewer: Viewer,
    request: Request,
    opened: list[Gate],
    taken: list[Decision],
    runs: list[Export],
) -> list[View]:
    gates = {gate.stage: gate for gate in opened if gate.digest == request.digest}
    behind = hands.acted_for(viewer.session, taken) if viewer.inside else {}
    views = [
        _gate(viewer, request, stage, gates.get(stage), [d for d in taken if d.stage == stage])
        for stage in GATES
    ]
    for decision in (d for view in views for d in view["decisions"] if viewer.inside):
        decision["delegated_by"] = behind.get(decision["id"])
    return [*views, _export_stage(request, runs), _plain(Stage.STEWARDSHIP, "pending", None)]


def _gate(
    viewer: Viewer, request: Request, stage: Stage, gate: Gate | None, taken: list[Decision]
) -> View:
    view = _plain(stage, "pending", None)
    hidden = blind.hidden(viewer.session, request, gate, viewer.person) if gate else frozenset()
    view["decisions"] = [
        {**_decision(viewer, request, one), **(blind.COVER if one.id in hidden else {})}
        for one in taken
    ]
    if gate is not None:
        open_now = gate.outcome is None and request.waiting_stage == stage
        view |= {
            "state": "open" if open_now else "closed",
            "outcome": gate.outcome,
            "findings": [_finding(viewer, stage, f) for f in gate.findings],
            "opened_at": gate.opened_at,
            "until": gate.until,
            "closed_at": gate.closed_at,
        }
    return view


def _export_stage(request: Request, runs: list[Export]) -> View:
    mine = [run for run in runs if run.digest == request.digest]
    if request.state in (RequestState.CLEARED, RequestState.EXPORTING):
        return _plain(Stage.EXPORT, "open", None)
    return _plain(Stage.EXPORT, "closed" if mine else "pending", mine[-1].state if mine else None)


def _plain(stage: Stage, state: str, outcome: str | None) -> View:
    return {"stage": stage, "state": state, "outcome": outcome, "findings": [], "decisions": []}


def _finding(viewer: Viewer, stage: Stage, finding: Mapping[str, str]) -> View:
    if viewer.inside or stage is not Stage.CONFLICT_SIGNOFF:
        return dict(finding)
    return {**finding, "detail": "Known to the people who sign off conflicts of interest."}


def _decision(viewer: Viewer, request: Request, decision: Decision) -> View:
    """`void`: taken on another digest than the current one, or counted no longer for the reason in
    `voided`, so it is only there to be read."""
    voided = viewer.voids(request).get(decision.id)
    view: View = {
        "id": decision.id,
        "actor": hands.role_of(decision),
        "role": hands.role_of(decision),
        "outcome": decision.outcome,
        "reason": decision.reason,
        "conditions": decision.conditions,
        "digest": decision.digest,
        "at": decision.at,
        "void": decision.digest != request.digest or voided is not None,
    }
    if viewer.inside:
        view |= {
            "actor": decision.actor_id,
            "actor_name": viewer.name(decision.actor_id),
            "findings_digest": decision.findings_digest,
            "agreement_digest": decision.agreement_digest,
            "answers": decision.answers or {},
            "voided": conflict_views.void_view(voided, viewer.name),
            "waiver": conflict_views.waiver_of(
                viewer.session, request.id, decision.actor_id, viewer.name
            ),
            "sign_off": conflict_views.sign_off_view(viewer.session, decision.id),
        }
    return view


def _happened(viewer: Viewer, event: Event) -> View:
    told: View = {"at": event.at, "type": event.type}
    if event.type.startswith("export."):
        told["export"] = event.subject
    return {**told, **events.data_for(event, inside=viewer.inside)}
