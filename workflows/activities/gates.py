"""What the four gates share: opening with findings."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from sharing.findings import Finding, findings_digest
from sharing.patience import Patience
from sharing.records import acceptances, decisions, people_left, policies, reminders, requests
from sharing.records.database import Database
from sharing.records.requests import Gate, Request
from sharing.records.tables import now, rfc3339
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import GATES, Outcome, RequestState, Stage
from workflows.messages import Opened, Opening

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
    closed, is left as it is; of a request that has moved on it says so."""
    return await database.write(
        partial(_open, opening=opening, judge=judge, patience=settings.patience())
    )


def _open(unit: Unit, opening: Opening, judge: Judge, patience: Patience) -> Opened:
    request = requests.get(unit.session, opening.request_id, hold=True)
    row = unit.session.get(Gate, (request.id, opening.digest, opening.stage))
    if request.digest != opening.digest or not _is_next(unit, request, opening.stage):
        return _as_it_is(request, row) if row is not None else Opened(opening.at, moved=True)
    judged = judge(unit, request)
    screened = opening.stage is Stage.CONFLICT_SIGNOFF  # which may take an earlier approval away
    if screened and not _is_next(unit, request, opening.stage):
        return Opened(opening.at, moved=True)
    asked = policies.gate(unit.session, request, opening.stage)
    patience = policies.patience(unit.session, request, patience)
    patience = patience.of_policy(opening.stage, asked.days)
    # Its days begin behind the cooling-off, so that no policy leaves a gate without time to decide.
    begins = max(datetime.fromisoformat(opening.at), now()) + asked.cooling_off
    schedule = patience.schedule(opening.stage, begins)
    until = schedule.until
    again = row is not None
    row = row or Gate(
        request_id=request.id,
        digest=request.digest,
        stage=opening.stage,
        until=until,
        findings=[],
        findings_digest="",
        opened_at=now(),
    )
    row.findings = [{**asdict(f), "result": str(f.result)} for f in judged.findings]
    row.findings_digest = findings_digest(judged.findings)
    row.agreement_digest, row.until = judged.agreement, until
    reminders.begin(row, schedule)
    unit.session.add(row)
    if not again:
        unit.session.flush()
        decisions.pin(unit.session, request, opening.stage, asked.needs)
    requests.move(request, RequestState(opening.stage))
    requests.wait(request, opening.stage, until)
    if again:
        _told(unit, request, row, "gate.reopened", judged.findings)
    else:
        _told(unit, request, row, "gate.opened", judged.findings)
    if not people_left.anybody(unit.session, request, opening.stage):
        people_left.tell(unit, request, opening.stage)
        told = patience.gates[opening.stage].escalate_to
        reminders.nobody_left(unit, request, row, told)
    return Opened(until.isoformat(), told_at=_told_at(row))


def _as_it_is(request: Request, gate: Gate) -> Opened:
    left = request.waiting_until - now() if gate.outcome and request.waiting_until else None
    return Opened(
        gate.until.isoformat(),
        Outcome(gate.outcome) if gate.outcome else None,
        left.total_seconds() if left else 0.0,
        not acceptances.awaited(request, gate),
        _told_at(gate),
    )


def _told_at(gate: Gate) -> str | None:
    at = reminders.next_at(gate)
    return at.isoformat() if at else None


def _told(unit: Unit, request: Request, gate: Gate, what: str, found: Sequence[Finding]) -> None:
    unit.audit(
        FINDER.format(stage=gate.stage),
        what,
        request.id,
        stage=gate.stage,
        findings={f.check: str(f.result) for f in found},
        findings_digest=gate.findings_digest,
    )
    unit.tell(
        what,
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        stage=gate.stage,
        until=rfc3339(gate.until),
    )


def _is_next(unit: Unit, request: Request, stage: Stage) -> bool:
    """True where this gate is the first one that is not approved, and nobody is waited for yet."""
    between = request.waiting_stage is None and request.state in (RequestState.SUBMITTED, *GATES)
    return between and decisions.next_gate(unit.session, request) is stage
