"""What the four gates share: opening with findings, and closing with a decision."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from temporalio import activity

from sharing.clearance import Approval, seal
from sharing.eligibility import Act, demand
from sharing.errors import NotFound, Refused
from sharing.findings import Finding, findings_digest
from sharing.legal import demand_answered
from sharing.orders import Order, Verb
from sharing.records import acceptances, agreements, clearances, requests
from sharing.records.database import Database
from sharing.records.interests import Declaration
from sharing.records.parties import actor
from sharing.records.requests import Decision, Gate, Request
from sharing.records.signing_keys import demand_order
from sharing.records.tables import new_id, now, rfc3339
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import GATES, Outcome, RequestState, Stage
from workflows.activities.acts import act, demand_fresh
from workflows.messages import Decided, Opened, Opening

FINDER = "system:{stage}-findings"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the machine found, and the digest of the agreement where the gate is about one."""

    findings: Sequence[Finding]
    agreement: str | None = None


Judge = Callable[[Unit, Request], Judged]


async def open_gate(
    database: Database, settings: Settings, opening: Opening, judge: Judge
) -> Opened:
    """Gathers a gate's findings and opens it, in one transaction. A gate that is open already, or
    closed, is left as it is; a request that has moved on is told by a deadline of now."""
    return await database.write(
        partial(_open, opening=opening, judge=judge, patience=settings.deadline(opening.stage))
    )


def _open(unit: Unit, opening: Opening, judge: Judge, patience: timedelta) -> Opened:
    request = requests.get(unit.session, opening.request_id, hold=True)
    opened = unit.session.get(Gate, (request.id, opening.digest, opening.stage))
    if opened is not None:
        left = request.waiting_until - now() if opened.outcome and request.waiting_until else None
        return Opened(
            opened.until.isoformat(),
            Outcome(opened.outcome) if opened.outcome else None,
            left.total_seconds() if left else 0.0,
            not acceptances.awaited(request, opened),
        )
    if request.digest != opening.digest or not _is_next(unit, request, opening.stage):
        return Opened(opening.at)
    judged = judge(unit, request)
    found = judged.findings
    until = max(datetime.fromisoformat(opening.at), now()) + patience
    row = Gate(
        request_id=request.id,
        digest=request.digest,
        stage=opening.stage,
        until=until,
        findings=[{**asdict(f), "result": str(f.result)} for f in found],
        findings_digest=findings_digest(found),
        agreement_digest=judged.agreement,
        opened_at=now(),
    )
    unit.session.add(row)
    request.state = RequestState(opening.stage)
    requests.wait(request, opening.stage, until)
    results = {f.check: str(f.result) for f in found}
    unit.audit(
        FINDER.format(stage=opening.stage),
        "gate.opened",
        request.id,
        stage=opening.stage,
        findings=results,
        findings_digest=row.findings_digest,
    )
    unit.tell(
        "gate.opened",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        stage=opening.stage,
        until=rfc3339(until),
    )
    return Opened(until.isoformat())


def _is_next(unit: Unit, request: Request, stage: Stage) -> bool:
    """True where the gate right before was approved, or where this is the first one."""
    number = GATES.index(stage)
    if number == 0:
        return request.state == RequestState.SUBMITTED
    before = requests.gate(unit.session, request, GATES[number - 1])
    return (
        before is not None
        and before.outcome == Outcome.APPROVED
        and request.state == RequestState(before.stage)
    )


class Decisions:
    """Records what people decide at the gates."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def record_decision(self, order: Order) -> Decided:
        """One decision, with the declaration behind it; the fourth approval seals the clearance."""
        return await act(self._database, partial(_decision, settings=self._settings), order)


def _decision(unit: Unit, order: Order, settings: Settings) -> Decided:
    demand_order(unit.session, order, Verb.DECIDE)
    request = requests.get(unit.session, order.request_id, hold=True)
    outcome, stage = Outcome(order.body["outcome"]), Stage(order.body["stage"])
    wait = _wait_after(outcome, stage, settings)
    if unit.session.get(Decision, order.id) is not None:
        waits = acceptances.awaited(request, requests.gate(unit.session, request, stage))
        return Decided(outcome, wait, not waits)
    demand_fresh(order)
    gate = _decidable(unit, request, order, stage)
    demand_answered(requests.findings(gate), outcome, order.body.get("answers") or {})
    at = now()
    declaration = Declaration(id=new_id("dcl"), person_id=order.actor, request_id=request.id, at=at)
    unit.session.add(declaration)
    unit.session.flush()
    unit.session.add(
        Decision(
            id=order.id,
            request_id=request.id,
            digest=order.digest,
            stage=stage,
            actor_id=order.actor,
            outcome=outcome,
            reason=order.body["reason"],
            conditions=list(order.body["conditions"]),
            findings_digest=gate.findings_digest,
            agreement_digest=gate.agreement_digest,
            declaration_id=declaration.id,
            answers=order.body.get("answers"),
            at=at,
            signature=order.signature,
        )
    )
    unit.session.flush()
    gate.outcome, gate.closed_at = outcome, at
    unit.audit(
        order.actor,
        "decision.taken",
        request.id,
        decision=order.id,
        stage=stage,
        outcome=outcome,
        digest=order.digest,
        findings_digest=gate.findings_digest,
    )
    unit.tell(
        "decision.taken",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        stage=stage,
        outcome=outcome,
    )
    _move(unit, request, gate, outcome, wait)
    return Decided(outcome, wait, not acceptances.awaited(request, gate))


def _decidable(unit: Unit, request: Request, order: Order, stage: Stage) -> Gate:
    gate = requests.gate(unit.session, request, stage)
    if order.digest != request.digest:
        raise Refused("stale_digest", "The request has changed since: read it again.")
    if gate is None or request.state != stage:
        raise Refused("wrong_stage", f"The request is {request.state}, not at {stage}.")
    if gate.outcome is not None:
        raise Refused("already_decided", f"{stage} was {gate.outcome} already.")
    if gate.until <= now():
        raise Refused("too_late", f"The deadline of {stage} has passed.")
    agreements.demand_read(gate, order.body.get("agreement_digest"))
    person = actor(unit.session, order.actor)
    if person is None:
        raise NotFound("person", order.actor)
    demand(Act.DECIDE, person, requests.case(unit.session, request), stage)
    return gate


def _wait_after(outcome: Outcome, stage: Stage, settings: Settings) -> float:
    if outcome is Outcome.RETURNED:
        return timedelta(days=settings.returned_days).total_seconds()
    if outcome is Outcome.APPROVED and stage is GATES[-1]:
        return timedelta(days=settings.clearance_days).total_seconds()
    return 0.0


def _move(unit: Unit, request: Request, gate: Gate, outcome: Outcome, wait: float) -> None:
    """What a decision does to the request itself."""
    stage, until = Stage(gate.stage), now() + timedelta(seconds=wait)
    if outcome is Outcome.REFUSED:
        requests.end(request, RequestState.REFUSED)
        _told(unit, request, "request.refused", stage=stage)
    elif outcome is Outcome.RETURNED:
        request.state = RequestState.RETURNED
        requests.wait(request, None, until)
        _told(unit, request, "request.returned", stage=stage)
    elif stage is not GATES[-1]:
        requests.wait(request, None, None)
    elif acceptances.stands(unit.session, request, gate.agreement_digest):
        clear(unit, request, timedelta(seconds=wait))
    else:  # for the partner, until the gate's own deadline
        requests.wait(request, stage, gate.until)


def clear(unit: Unit, request: Request, valid_for: timedelta) -> None:
    """Seals four approvals; the database refuses the row if they do not stand behind it."""
    at = now()
    taken = {
        d.stage: d
        for d in requests.decisions_of(unit.session, request.id)
        if d.digest == request.digest
    }
    approvals = [
        Approval(stage, d.actor_id, d.digest, Outcome(d.outcome), d.id)
        for stage in GATES
        if (d := taken.get(stage)) is not None
    ]
    agreement = taken[Stage.LEGAL_APPROVAL].agreement_digest or ""
    clearance = seal(request.id, request.digest, approvals, agreement, at, at + valid_for)
    row = clearances.add(unit.session, clearance)
    unit.session.flush()
    request.state = RequestState.CLEARED
    requests.wait(request, Stage.EXPORT, clearance.valid_until)
    _told(unit, request, "request.cleared", clearance=row.id, seal=clearance.seal)


def _told(unit: Unit, request: Request, what: str, **data: str) -> None:
    unit.audit("system:process", what, request.id, **data)
    unit.tell(what, request.id, partner_id=request.partner_id, request_id=request.id, **data)
