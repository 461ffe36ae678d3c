"""What waits for one person: gates to decide at, exports to trigger or confirm."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from sharing.eligibility import Act, Actor, Case
from sharing.records import decisions, exports, late_interests, requests
from sharing.records.attendance import in_hand
from sharing.records.decisions import GateNeed
from sharing.records.parties import Partner
from sharing.records.requests import Request
from sharing.records.waiting import eligible, free_of_interest
from sharing.stages import GATE_ROLES, GATES, ExportState, RequestState, Role, Stage

View = dict[str, Any]
STAGES = {role: stage for stage, role in GATE_ROLES.items()}


def waiting(session: Session, person: Actor, role: Role, limit: int, after: str) -> list[View]:
    """At most `limit` things that this person may do now, by request id, behind `after`."""
    found: list[View] = []
    for request in _candidates(session, role, after):
        view = _review(session, person, role, request)
        if view is not None:
            found.append(view)
        if len(found) == limit:
            break
    return found


def mine_first(found: list[View], person_id: str) -> list[View]:
    """What a person has in hand, then what nobody has, then what others have."""
    return sorted(found, key=lambda one: _place(one.get("claimed_by"), person_id))


def _place(claimed_by: str | None, person_id: str) -> int:
    return 1 if claimed_by is None else 0 if claimed_by == person_id else 2


def _candidates(session: Session, role: Role, after: str) -> Iterator[Request]:
    """Requests at a gate of this role, or at one where a policy asks for it too; and those whose
    export waits for an engineer."""
    asks = select(GateNeed.request_id).where(
        GateNeed.request_id == Request.id,
        GateNeed.digest == Request.digest,
        GateNeed.stage == Request.waiting_stage,
        GateNeed.role == role,
    )
    mine: list[ColumnElement[bool]] = [asks.exists()]
    if role in STAGES:
        mine.append(col(Request.waiting_stage) == STAGES[role])
    if role is Role.ENGINEER:
        mine.append(col(Request.state).in_((RequestState.CLEARED, RequestState.EXPORTING)))
    if role is Role.CONFLICT_OFFICER and (late := late_interests.unseen_ids(session)):
        mine.append(col(Request.id).in_(late))
    yield from session.exec(
        select(Request).where(col(Request.id) > after, or_(*mine)).order_by(Request.id)
    )


def _review(session: Session, person: Actor, role: Role, request: Request) -> View | None:
    case = requests.case(session, request)
    if request.waiting_stage in GATES:
        stage = Stage(request.waiting_stage)
        return _decision(session, person, role, request, case, stage)
    if role is Role.CONFLICT_OFFICER:
        may = free_of_interest(person, case)
        return _view(session, request, Stage.STEWARDSHIP, "look_at_late_interest") if may else None
    if request.state == RequestState.CLEARED:
        may = eligible(Act.TRIGGER, person, case, None)
        return _view(session, request, Stage.EXPORT, "trigger") if may else None
    run = exports.live(session, request.id, request.digest)
    if run is None or run.state != ExportState.AWAITING_CONFIRMATION:
        return None
    case = replace(case, triggered_by=run.triggered_by)
    if not eligible(Act.CONFIRM, person, case, None):
        return None
    return {**_view(session, request, Stage.EXPORT, "confirm"), "export": run.id}


def _decision(
    session: Session, person: Actor, role: Role, request: Request, case: Case, stage: Stage
) -> View | None:
    """A gate to decide at, if this role's approvals are not all there yet."""
    beside = None if role is GATE_ROLES[stage] else role
    lacking = decisions.lacking(session, request, stage)
    if all(need.role is not role for need in lacking):
        return None
    if not eligible(Act.DECIDE, person, case, stage, beside):
        return None
    needs = [{"role": need.role, "missing": need.approvals} for need in lacking]
    in_whose = in_hand(session, request, stage)
    return {**_view(session, request, stage, "decide"), "needs": needs, **in_whose}


def _view(session: Session, request: Request, stage: Stage, act: str) -> View:
    partner = session.get_one(Partner, request.partner_id)
    return {
        "request": request.id,
        "title": request.title,
        "partner": partner.id,
        "partner_name": partner.name,
        "stage": stage,
        "act": act,
        "digest": request.digest,
        "revision": request.revision,
        "until": request.waiting_until,
    }
