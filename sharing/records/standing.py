"""Early and clear refusals, before anything is sent to the engine.

The transaction that records an act asks all of it again: here it only spares people a wait.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from sharing.eligibility import Act, Actor, demand, roles_for
from sharing.errors import NotCleared, NotEligible, Refused
from sharing.legal import demand_answered
from sharing.records import (
    acceptances,
    agreements,
    clearances,
    cooling,
    decisions,
    exports,
    requests,
    steering,
)
from sharing.records.exports import Export
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import (
    AMENDABLE,
    ENDED,
    GATE_ROLES,
    GATES,
    LIVE_EXPORTS,
    ExportState,
    Outcome,
    RequestState,
    Role,
    Stage,
)


def demand_amendable(request: Request) -> None:
    """Raises Refused unless the scope may change now."""
    if RequestState(request.state) not in AMENDABLE:
        raise Refused(
            "wrong_state", f"The request is {request.state}: its scope cannot change now."
        )


def demand_withdrawable(request: Request) -> None:
    """Raises Refused once a request has come to its end."""
    if RequestState(request.state) in ENDED:
        raise Refused("wrong_state", f"The request is {request.state} already.")


def demand_decidable(
    session: Session,
    request: Request,
    person: Actor,
    stage: Stage,
    digest: str,
    role: Role | None = None,
    outcome: str = Outcome.APPROVED,
) -> None:
    """Raises Refused unless this person may decide so at this stage, on this digest, now; in the
    gate's own role, or in another that the policy asks for."""
    beside = decisions.role_in(session, request, stage, role) if role else None
    if beside is None and not roles_for(Act.DECIDE, stage) & person.roles:
        demand(Act.DECIDE, person, requests.case(session, request), stage)
    if digest == request.digest and _decided(session, request, person.id, stage):
        raise Refused("already_decided", f"You decided at {stage} already.")
    demand(Act.DECIDE, person, requests.case(session, request), stage, beside)
    _demand_current(request, digest)
    if request.state == RequestState.EXPIRED:
        raise Refused("too_late", "The deadline has passed: the request expired.")
    gate = requests.gate(session, request, stage)
    if gate is not None and gate.outcome is None and gate.until <= now():
        raise Refused("too_late", f"The deadline of {stage} has passed.")
    if request.waiting_stage != stage or gate is None:
        raise Refused("wrong_stage", f"The request is {_where(request)}, not at {stage}.")
    cooling.demand_over_at(session, request, gate, outcome)


def demand_sees_photos(
    session: Session, request: Request, person: Actor, role: Role, digest: str
) -> None:
    """Raises Refused unless this person, in this role, may decide at the gate that waits now: who
    has nothing to decide has no photo to see. An engineer never has, whatever a policy asks."""
    stage = Stage(request.waiting_stage) if request.waiting_stage in GATES else None
    if role not in GATE_ROLES.values():
        raise NotEligible("role", "Photos are shown to those who decide at a gate, to nobody else.")
    if stage is None:
        raise Refused("wrong_stage", f"The request is {request.state}: no gate waits for anybody.")
    demand_decidable(session, request, person, stage, digest, role, Outcome.RETURNED)


def demand_read(session: Session, request: Request, stage: Stage, told: Mapping[str, Any]) -> None:
    """Raises Refused for a decision on another version of the agreement than the current one, or
    without the answers that the gate's findings ask for."""
    gate = requests.gate(session, request, stage)
    if gate is not None:
        agreements.demand_read(gate, told.get("agreement_digest"))
        demand_answered(
            requests.findings(gate), Outcome(told["outcome"]), told.get("answers") or {}
        )


def demand_addable(session: Session, request: Request, person: Actor, named: str) -> Gate:
    """The legal gate, if this person may add to that version of the agreement there now: whoever
    might decide there. Raises Refused."""
    demand(Act.DECIDE, person, requests.case(session, request), Stage.LEGAL_APPROVAL)
    return agreements.demand_open(session, request, named)


def demand_linkable(session: Session, request: Request, person: Actor, agreement: str) -> datetime:
    """Until when a link can accept that version, if this person may send one; raises Refused.
    Whoever approved the agreement may, but nobody with an interest."""
    case = replace(requests.case(session, request), deciders=frozenset())
    demand(Act.DECIDE, person, case, Stage.LEGAL_APPROVAL)
    return acceptances.demand_acceptable(
        session, request, request.partner_id, request.digest, agreement
    ).until


def demand_triggerable(session: Session, request: Request, person: Actor, digest: str) -> None:
    """Raises Refused unless this person may start the export of this digest now."""
    demand(Act.TRIGGER, person, requests.case(session, request))
    _demand_current(request, digest)
    if exports.live(session, request.id, digest) is not None:
        raise Refused("export_live", "An export of this request is under way already.")
    if request.state == RequestState.DELIVERED:
        raise Refused("wrong_state", "This request was exported and delivered already.")
    clearance = clearances.of(session, request.id, digest)
    if request.state != RequestState.CLEARED or clearance is None:
        raise NotCleared(
            f"The request is {_where(request)}: four approvals of this digest come first."
        )
    if clearance.valid_until <= now():
        raise NotCleared("The clearance has run out.")
    cooling.demand_over_for_export(session, request)


def demand_confirmable(session: Session, request: Request, export: Export, person: Actor) -> None:
    """Raises Refused unless this person may be the second one to say yes."""
    demand(Act.CONFIRM, person, requests.case(session, request, export.triggered_by))
    if export.state != ExportState.AWAITING_CONFIRMATION:
        raise Refused("wrong_state", f"The export is {export.state}: there is nothing to confirm.")


def demand_cancellable(session: Session, request: Request, export: Export, person: Actor) -> None:
    """Raises Refused unless this person may stop it and there is something to stop."""
    demand(Act.CANCEL, person, requests.case(session, request, export.triggered_by))
    if ExportState(export.state) not in LIVE_EXPORTS:
        raise Refused("wrong_state", f"The export is {export.state} already.")


def demand_steerable(session: Session, request: Request, export: Export, person: Actor) -> None:
    """Raises Refused unless this person may pause, resume or limit it and it is under way."""
    demand(Act.STEER, person, requests.case(session, request))
    steering.demand_live(export, released=exports.released(session, export.id) is not None)


def between_gates(request: Request) -> bool:
    """True while the machine gathers the findings of the next gate, which will open by itself."""
    return request.waiting_stage is None and request.state in (RequestState.SUBMITTED, *GATES)


def _demand_current(request: Request, digest: str) -> None:
    if digest != request.digest:
        raise Refused(
            "stale_digest",
            "The request has changed since: read it again, then decide on its current digest.",
        )


def _decided(session: Session, request: Request, person_id: str, stage: Stage) -> bool:
    """True if a decision of this person counts here: one that was taken back may be taken anew."""
    return any(
        one.stage == stage and one.actor_id == person_id
        for one in requests.counted(session, request)
    )


def _where(request: Request) -> str:
    return f"{request.state}" if request.waiting_stage is None else f"at {request.waiting_stage}"
