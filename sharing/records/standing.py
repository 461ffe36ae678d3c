"""Early and clear refusals, before anything is sent to the engine.

The transaction that records an act asks all of it again: here it only spares people a wait.
"""

from sqlmodel import Session, col, select

from sharing.eligibility import Act, Actor, demand, roles_for
from sharing.errors import NotCleared, Refused
from sharing.records import clearances, exports, requests
from sharing.records.exports import Export
from sharing.records.requests import Decision, DecisionVoid, Request
from sharing.records.tables import now
from sharing.stages import (
    AMENDABLE,
    ENDED,
    GATES,
    LIVE_EXPORTS,
    ExportState,
    RequestState,
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
    session: Session, request: Request, person: Actor, stage: Stage, digest: str
) -> None:
    """Raises Refused unless this person may decide at this stage, on this digest, now."""
    if not roles_for(Act.DECIDE, stage) & person.roles:
        demand(Act.DECIDE, person, requests.case(session, request), stage)
    if digest == request.digest and _decided(session, request, person.id, stage):
        raise Refused("already_decided", f"You decided at {stage} already.")
    demand(Act.DECIDE, person, requests.case(session, request), stage)
    _demand_current(request, digest)
    if request.state == RequestState.EXPIRED:
        raise Refused("too_late", "The deadline has passed: the request expired.")
    gate = requests.gate(session, request, stage)
    if gate is not None and gate.outcome is None and gate.until <= now():
        raise Refused("too_late", f"The deadline of {stage} has passed.")
    if request.waiting_stage != stage:
        raise Refused("wrong_stage", f"The request is {_where(request)}, not at {stage}.")


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
    return (
        session.exec(
            select(Decision.id).where(
                Decision.request_id == request.id,
                Decision.digest == request.digest,
                Decision.stage == stage,
                Decision.actor_id == person_id,
                col(Decision.id).not_in(select(DecisionVoid.decision_id)),
            )
        ).first()
        is not None
    )


def _where(request: Request) -> str:
    return f"{request.state}" if request.waiting_stage is None else f"at {request.waiting_stage}"
