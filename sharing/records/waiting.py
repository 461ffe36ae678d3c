"""What a request waits for, who may act, and until when."""

from dataclasses import replace

from sqlmodel import Session

from sharing.eligibility import Act, Actor, Case, demand, demand_disinterested, roles_for
from sharing.errors import NotEligible
from sharing.records import (
    acceptances,
    clearances,
    consent_sources,
    cooling,
    decisions,
    people_left,
    requests,
)
from sharing.records.attendance import attendance
from sharing.records.exports import Export
from sharing.records.requests import Request
from sharing.records.viewer import View, Viewer
from sharing.stages import ENDED, GATE_ROLES, GATES, ExportState, Outcome, RequestState, Role, Stage


def waiting_for(viewer: Viewer, request: Request, case: Case, runs: list[Export]) -> View | None:
    """What a request waits for, who may act, and until when; None while a machine works on it. A
    consent source that gives no usable answer is for an admin, and `code` says so."""
    state = RequestState(request.state)
    if state in ENDED:
        return None
    if state is RequestState.RETURNED:
        return _waits_for_partner(request, _returned_from(viewer.session, request))
    if state in (RequestState.CLEARED, RequestState.EXPORTING):
        return _waits_for_export(viewer, request, case, runs)
    if request.waiting_stage is None:
        judged_next = state is RequestState.PURPOSE_REVIEW
        return _waits_for_source(viewer, Stage.CONSENT_VERIFICATION) if judged_next else None
    stage = Stage(request.waiting_stage)
    if stage is GATES[-1] and acceptances.awaited(
        request, requests.gate(viewer.session, request, stage)
    ):
        return _waits_for_partner(request, stage)
    return _waits_for_people(viewer, request, case, stage)


def _waits_for_people(viewer: Viewer, request: Request, case: Case, stage: Stage) -> View:
    """`needs`: how many approvals are missing, role by role; `not_before`: during a cooling-off."""
    gate = requests.gate(viewer.session, request, stage)
    over = cooling.over_at(viewer.session, request, gate) if gate else None
    lacking = decisions.lacking(viewer.session, request, stage, case)
    people = {
        need.role: _people(
            viewer, Act.DECIDE, case, stage, None if need.role is GATE_ROLES[stage] else need.role
        )
        for need in lacking
    }
    view: View = {
        "stage": stage,
        "roles": [need.role for need in lacking],
        "until": request.waiting_until,
        "people": list(dict.fromkeys(one for some in people.values() for one in some)),
        "needs": [{"role": need.role, "missing": need.approvals} for need in lacking],
        **(attendance(viewer.session, request, stage) if viewer.inside else {}),
        **cooling.shown(over),
    }
    without = [role for role, some in people.items() if not some]
    return {**view, **_nobody_left(without)} if without and viewer.inside else view


def _nobody_left(roles: list[Role]) -> View:
    """Whom it goes to where nobody may decide at a gate: it waits, and never falls through."""
    return {
        "roles": [Role.ADMIN, Role.CONFLICT_OFFICER],
        "code": people_left.NOBODY_LEFT,
        "detail": f"Nobody who is free of interests may decide as {' or '.join(roles)}: an admin "
        "gives the role to somebody else.",
    }


def _waits_for_partner(request: Request, stage: str | None) -> View:
    until = request.waiting_until
    return {"stage": stage, "roles": [Role.PARTNER], "people": [], "until": until}


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
        **cooling.shown(cooling.over_for_export(viewer.session, request)),
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


def _people(
    viewer: Viewer, act: Act, case: Case, stage: Stage | None, beside: Role | None = None
) -> list[str]:
    """Ids of those who may act now, as the one eligibility function says; none for partners.
    `beside`: in a role that the policy asks for beside the gate's own."""
    if not viewer.inside:
        return []
    return [
        one.id
        for role in ([beside] if beside else sorted(roles_for(act, stage)))
        for one in viewer.holders(role)
        if eligible(act, one, case, stage, beside)
    ]


def eligible(
    act: Act, person: Actor, case: Case, stage: Stage | None, beside: Role | None = None
) -> bool:
    """True if nothing stands in this person's way."""
    try:
        demand(act, person, case, stage, beside)
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
