"""What a request looks like from outside: to people inside, and to the partner who asks.

A partner learns how its own request stands, never who inside acted on it or has an interest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from sharing.eligibility import Act, Actor, Case, demand, demand_disinterested, roles_for
from sharing.errors import NotEligible
from sharing.records import (
    clearances,
    conflict_views,
    consent_sources,
    decisions,
    events,
    export_views,
    exports,
    parties,
    people_left,
    requests,
)
from sharing.records.events import Event
from sharing.records.exports import Export
from sharing.records.parties import Partner, Person
from sharing.records.requests import Decision, DecisionVoid, Gate, Request
from sharing.stages import ENDED, GATE_ROLES, GATES, ExportState, Outcome, RequestState, Role, Stage

View = dict[str, Any]


@dataclass(slots=True)
class Viewer:
    """Whom things are shown to. `inside` is False for partners. Names are looked up once."""

    session: Session
    inside: bool
    _actors: dict[Role, list[Actor]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _voids: dict[str, dict[str, DecisionVoid]] = field(default_factory=dict)

    def holders(self, role: Role) -> list[Actor]:
        """Everybody who holds a role now, in that role."""
        if role not in self._actors:
            ids = parties.people_with(self.session, role)
            found = (parties.actor(self.session, one) for one in ids)
            self._actors[role] = [replace(a, roles=frozenset({role})) for a in found if a]
        return self._actors[role]

    def voids(self, request: Request) -> dict[str, DecisionVoid]:
        """Which of a request's decisions count no longer, and why."""
        if request.id not in self._voids:
            self._voids[request.id] = decisions.voids(self.session, request.id)
        return self._voids[request.id]

    def name(self, party: str) -> str:
        """The name of a person or partner, by id."""
        if party not in self._names:
            row = self.session.get(Person, party) or self.session.get(Partner, party)
            self._names[party] = row.name if row else party
        return self._names[party]


def request_view(viewer: Viewer, request: Request) -> View:
    """A request with its stages in process order, its exports, and everything that happened."""
    session = viewer.session
    body = requests.revision_row(session, request).body
    runs = exports.of_request(session, request.id)
    case = requests.case(session, request)
    return {
        "id": request.id,
        "partner": request.partner_id,
        "partner_name": viewer.name(request.partner_id),
        "state": request.state,
        "revision": request.revision,
        "digest": request.digest,
        "waiting_for": waiting_for(viewer, request, case, runs),
        "stages": _stages(viewer, request, runs),
        "exports": [export_views.export_view(session, run, inside=viewer.inside) for run in runs],
        "timeline": [
            _happened(viewer, event)
            for event in events.of_request(session, request.id)
            if viewer.inside or event.type not in events.INSIDE_ONLY
        ],
        **body,
        "submitted_at": request.submitted_at,
        "ended_at": request.ended_at,
        **_interests(viewer, request),
    }


def _interests(viewer: Viewer, request: Request) -> View:
    if not viewer.inside:
        return {}
    return {
        "late_interests": conflict_views.late_view(viewer.session, request.id, viewer.name),
        "waivers": conflict_views.waivers_view(viewer.session, request.id, viewer.name),
    }


def waiting_for(viewer: Viewer, request: Request, case: Case, runs: list[Export]) -> View | None:
    """What a request waits for, who may act, and until when; None while a machine works on it. A
    consent source that gives no usable answer is for an admin, and `code` says so."""
    state = RequestState(request.state)
    if state in ENDED:
        return None
    if state is RequestState.RETURNED:
        return {
            "stage": _returned_from(viewer.session, request),
            "roles": [Role.PARTNER],
            "people": [],
            "until": request.waiting_until,
        }
    if state in (RequestState.CLEARED, RequestState.EXPORTING):
        return _waits_for_export(viewer, request, case, runs)
    if request.waiting_stage is None:
        judged_next = state is RequestState.PURPOSE_REVIEW
        return _waits_for_source(viewer, Stage.CONSENT_VERIFICATION) if judged_next else None
    stage = Stage(request.waiting_stage)
    people = _people(viewer, Act.DECIDE, case, stage)
    view: View = {
        "stage": stage,
        "roles": [GATE_ROLES[stage]],
        "until": request.waiting_until,
        "people": people,
    }
    return view if people or not viewer.inside else {**view, **_nobody_left(stage)}


def _nobody_left(stage: Stage) -> View:
    """Whom it goes to where nobody may decide at a gate: it waits, and never falls through."""
    return {
        "roles": [Role.ADMIN, Role.CONFLICT_OFFICER],
        "code": people_left.NOBODY_LEFT,
        "detail": f"Nobody who is free of interests may decide as {GATE_ROLES[stage]}: an admin "
        "gives the role to somebody else.",
    }


def _waits_for_export(
    viewer: Viewer, request: Request, case: Case, runs: list[Export]
) -> View | None:
    act = Act.TRIGGER
    if request.state == RequestState.EXPORTING:
        waiting = [run for run in runs if run.state == ExportState.AWAITING_CONFIRMATION]
        if not waiting:
            return _waits_for_source(viewer, Stage.EXPORT)
        act = Act.CONFIRM
        case = replace(case, triggered_by=waiting[-1].triggered_by)
    cleared = clearances.of(viewer.session, request.id, request.digest)
    return {
        "stage": Stage.EXPORT,
        "roles": [Role.ENGINEER],
        "people": _people(viewer, act, case, None),
        "until": cleared.valid_until if cleared else request.waiting_until,
    }


def _waits_for_source(viewer: Viewer, stage: Stage) -> View | None:
    """None where nothing is wrong with any source."""
    trouble = consent_sources.trouble(viewer.session)
    if trouble is None:
        return None
    view: View = {
        "stage": stage,
        "roles": [Role.ADMIN],
        "people": [one.id for one in viewer.holders(Role.ADMIN)] if viewer.inside else [],
        "until": None,
        "code": consent_sources.STALE,
    }
    return {**view, "detail": trouble} if viewer.inside else view


def _people(viewer: Viewer, act: Act, case: Case, stage: Stage | None) -> list[str]:
    """Ids of those who may act now, as the one eligibility function says; none for partners."""
    if not viewer.inside:
        return []
    return [
        one.id
        for role in sorted(roles_for(act, stage))
        for one in viewer.holders(role)
        if eligible(act, one, case, stage)
    ]


def eligible(act: Act, person: Actor, case: Case, stage: Stage | None) -> bool:
    """True if nothing stands in this person's way."""
    try:
        demand(act, person, case, stage)
    except NotEligible:
        return False
    return True


def free_of_interest(person: Actor, case: Case) -> bool:
    """True if this person gains nothing from a request."""
    try:
        demand_disinterested(person, case)
    except NotEligible:
        return False
    return True


def _returned_from(session: Session, request: Request) -> str | None:
    gates = [g for g in requests.gates_of(session, request.id) if g.outcome == Outcome.RETURNED]
    return gates[-1].stage if gates else None


def _stages(viewer: Viewer, request: Request, runs: list[Export]) -> list[View]:
    gates = {
        g.stage: g
        for g in requests.gates_of(viewer.session, request.id)
        if g.digest == request.digest
    }
    taken = requests.decisions_of(viewer.session, request.id)
    views = [
        _gate(viewer, request, stage, gates.get(stage), [d for d in taken if d.stage == stage])
        for stage in GATES
    ]
    return [*views, _export_stage(request, runs), _plain(Stage.STEWARDSHIP, "pending", None)]


def _gate(
    viewer: Viewer, request: Request, stage: Stage, gate: Gate | None, taken: list[Decision]
) -> View:
    view = _plain(stage, "pending", None)
    view["decisions"] = [_decision(viewer, request, decision) for decision in taken]
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
        "actor": GATE_ROLES[Stage(decision.stage)],
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
