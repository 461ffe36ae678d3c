"""Decisions: recorded, counted, taken back; the last approval seals the clearance."""

from datetime import timedelta
from functools import partial

from temporalio import activity

from sharing.clearance import seal
from sharing.eligibility import Act, demand, demand_own
from sharing.errors import NotFound, Refused
from sharing.legal import demand_answered
from sharing.orders import Order, Verb
from sharing.quorum import outcome
from sharing.records import (
    acceptances,
    agreements,
    clearances,
    cooling,
    decisions,
    hands,
    parties,
    policies,
    register,
    requests,
    sign_offs,
    statements,
)
from sharing.records.accounts import accounts
from sharing.records.database import Database
from sharing.records.interests import Declaration
from sharing.records.requests import Decision, Gate, Request
from sharing.records.signing_keys import demand_order
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import GATE_ROLES, Outcome, RequestState, Role, Stage
from workflows.activities.acts import act, demand_fresh
from workflows.messages import Decided


class Decisions:
    """Records what people decide at the gates, and what they take back."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def record_decision(self, order: Order) -> Decided:
        """One decision, with the declaration behind it; the last approval seals the clearance."""
        return await act(self._database, partial(_decision, settings=self._settings), order)

    @activity.defn
    async def record_taking_back(self, order: Order) -> None:
        """An approval no longer counts, because its decider says so: the gate waits again (F11)."""
        await act(self._database, _taking_back, order)


def _decision(unit: Unit, order: Order, settings: Settings) -> Decided:
    demand_order(unit.session, order, Verb.DECIDE)
    request = requests.get(unit.session, order.request_id, hold=True)
    stage = Stage(order.body["stage"])
    if unit.session.get(Decision, order.id) is not None:
        known = requests.gate(unit.session, request, stage)
        return _decided(request, known, Outcome(known.outcome) if known and known.outcome else None)
    demand_fresh(order)
    gate = _decidable(unit, request, order, stage)
    demand_answered(
        requests.findings(gate), Outcome(order.body["outcome"]), order.body.get("answers") or {}
    )
    _keep(unit, request, gate, order, _declared(unit, request, order))
    came_to = outcome(
        decisions.needs(unit.session, request, stage), decisions.votes(unit.session, request, stage)
    )
    _tell_taken(unit, request, order, hidden=came_to is None and _blind(unit, request, stage))
    if came_to is not None:
        gate.outcome, gate.closed_at = came_to, now()
        _move(unit, request, stage, came_to, settings)
    return _decided(request, gate, came_to)


def _decided(request: Request, gate: Gate | None, came_to: Outcome | None) -> Decided:
    left = request.waiting_until - now() if came_to and request.waiting_until else timedelta()
    return Decided(came_to, max(left.total_seconds(), 0.0), not acceptances.awaited(request, gate))


def _decidable(unit: Unit, request: Request, order: Order, stage: Stage) -> Gate:
    gate = requests.gate(unit.session, request, stage)
    if order.digest != request.digest:
        raise Refused("stale_digest", "The request has changed since: read it again.")
    if gate is None or request.state != stage:
        raise Refused("wrong_stage", f"The request is {request.state}, not at {stage}.")
    if gate.outcome is not None:
        raise Refused("already_decided", f"{stage} was {gate.outcome} already.")
    if request.waiting_stage != stage:
        raise Refused("wrong_stage", f"{stage} is being opened again: try again in a moment.")
    if gate.until <= now():
        raise Refused("too_late", f"The deadline of {stage} has passed.")
    agreements.demand_read(gate, order.body.get("agreement_digest"))
    person = parties.actor(unit.session, order.actor)
    if person is None:
        raise NotFound("person", order.actor)
    role = Role(order.body.get("role") or GATE_ROLES[stage])
    beside = decisions.role_in(unit.session, request, stage, role)
    demand(Act.DECIDE, person, requests.case(unit.session, request), stage, beside)
    cooling.demand_over_at(unit.session, request, gate, order.body["outcome"])
    return gate


def _blind(unit: Unit, request: Request, stage: Stage) -> bool:
    return policies.gate(unit.session, request, stage).blind


def _declared(unit: Unit, request: Request, order: Order) -> Declaration:
    """The decider's own statement about this request. Somebody's first one goes into the register
    too, and holds there for a year; after that the register must be renewed before deciding."""
    if statements.latest(unit.session, order.actor) is None:
        register.affirm(unit, order.actor, unit.ask(policies.register_lasting))
    declared = Declaration(id=new_id("dcl"), person_id=order.actor, request_id=request.id, at=now())
    unit.session.add(declared)
    unit.session.flush()
    return declared


def _keep(unit: Unit, request: Request, gate: Gate, order: Order, declared: Declaration) -> None:
    taken = Decision(
        id=order.id,
        request_id=request.id,
        digest=order.digest,
        stage=gate.stage,
        actor_id=order.actor,
        role=order.body.get("role"),
        outcome=order.body["outcome"],
        reason=order.body["reason"],
        conditions=list(order.body["conditions"]),
        findings_digest=gate.findings_digest,
        agreement_digest=gate.agreement_digest,
        declaration_id=declared.id,
        answers=order.body.get("answers"),
        at=declared.at,
        signature=order.signature,
    )
    unit.session.add(taken)
    unit.session.flush()
    if signed := order.body.get("sign_off"):
        sign_offs.demand_true(unit.session, request.id, signed)
        sign_offs.keep(unit.session, order.id, signed)
    unit.audit(
        order.actor,
        "decision.taken",
        request.id,
        **_delegated(unit, taken),
        decision=order.id,
        stage=gate.stage,
        outcome=order.body["outcome"],
        digest=order.digest,
        findings_digest=gate.findings_digest,
    )


def _tell_taken(unit: Unit, request: Request, order: Order, *, hidden: bool) -> None:
    """An event is for everybody, so at a blind gate it does not say what was decided before all
    have."""
    said = {} if hidden else {"outcome": order.body["outcome"]}
    unit.tell(
        "decision.taken",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        stage=order.body["stage"],
        **said,
    )


def _delegated(unit: Unit, taken: Decision) -> dict[str, str]:
    who = hands.acted_for(unit.session, [taken]).get(taken.id)
    return {"delegated_by": who} if who else {}


def _move(unit: Unit, request: Request, stage: Stage, came_to: Outcome, settings: Settings) -> None:
    """What a gate's outcome does to the request itself."""
    if came_to is Outcome.REFUSED:
        requests.end(request, RequestState.REFUSED)
        _told(unit, request, "request.refused", stage=stage)
    elif came_to is Outcome.RETURNED:
        requests.move(request, RequestState.RETURNED)
        requests.wait(request, None, now() + timedelta(days=settings.returned_days))
        _told(unit, request, "request.returned", stage=stage)
    elif decisions.next_gate(unit.session, request) is None:
        _approved(unit, request, settings)
    else:
        requests.wait(request, None, None)


def _approved(unit: Unit, request: Request, settings: Settings) -> None:
    """All gates have approved: cleared, or the partner has yet to accept the agreement, until the
    legal gate's own deadline."""
    legal = requests.gate(unit.session, request, Stage.LEGAL_APPROVAL)
    if legal is None or acceptances.stands(unit.session, request, legal.agreement_digest):
        clear(unit, request, timedelta(days=settings.clearance_days))
        return
    requests.move(request, RequestState.LEGAL_APPROVAL)
    requests.wait(request, Stage.LEGAL_APPROVAL, legal.until)


def clear(unit: Unit, request: Request, valid_for: timedelta) -> None:
    """Seals the approvals; the database refuses the row if they do not stand behind it."""
    at = now()
    approvals = clearances.approvals(unit.session, request)
    legal = requests.gate(unit.session, request, Stage.LEGAL_APPROVAL)
    agreement = (legal.agreement_digest if legal else None) or ""
    clearance = seal(request.id, request.digest, approvals, agreement, at, at + valid_for)
    row = clearances.add(unit.session, clearance)
    unit.session.flush()
    requests.move(request, RequestState.CLEARED)
    requests.wait(request, Stage.EXPORT, clearance.valid_until)
    _told(unit, request, "request.cleared", clearance=row.id, seal=clearance.seal)


def _taking_back(unit: Unit, order: Order) -> None:
    demand_order(unit.session, order, Verb.TAKE_BACK)
    request = requests.get(unit.session, order.request_id, hold=True)
    taken = unit.session.get(Decision, order.body["decision"])
    if taken is None or taken.request_id != request.id:
        raise NotFound("decision", order.body["decision"])
    if taken.id in decisions.voids(unit.session, request.id):
        return
    demand_fresh(order)
    person = parties.actor(unit.session, order.actor)
    if person is None:
        raise NotFound("person", order.actor)
    demand_own(person, accounts(unit.session, taken.actor_id))
    decisions.demand_retractable(unit.session, request, taken)
    note = order.body.get("reason")
    decisions.undo(unit, request, [taken], decisions.TAKEN_BACK, order.actor, note=note)


def _told(unit: Unit, request: Request, what: str, **data: str) -> None:
    unit.audit("system:process", what, request.id, **data)
    unit.tell(what, request.id, partner_id=request.partner_id, request_id=request.id, **data)
