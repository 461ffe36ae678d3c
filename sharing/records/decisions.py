"""Which decisions count, what each gate needs, and how a gate that has lost its decision reopens.

A decision row is never changed. One that no longer counts has a row beside it that says why: its
decider took it back, or has an interest that became known. It stays readable (F6).
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.eligibility import Case
from sharing.errors import NotEligible, Refused
from sharing.quorum import Need, Vote, missing
from sharing.records import clearances, exports, policies, requests
from sharing.records.exports import Export
from sharing.records.hands import role_of
from sharing.records.requests import Decision, DecisionVoid, Gate, Request, counted
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.rulebook import GateRule, gate_of
from sharing.stages import GATE_ROLES, GATES, ExportState, Outcome, RequestState, Role, Stage

INTEREST, TAKEN_BACK, SAME_PERSON = "interest", "taken_back", "same_person"


class GateNeed(SQLModel, table=True):
    """What the policy asks of one gate beside one approval in its own role: so many distinct people
    who approve in this role."""

    __tablename__ = "gate_need"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "digest", "stage"],
            ["gate.request_id", "gate.digest", "gate.stage"],
            name="fk_gate_need_gate",
        ),
        CheckConstraint("approvals BETWEEN 1 AND 50", name="approvals"),
    )
    request_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    approvals: int


APPROVED = text(
    "SELECT stage FROM gate WHERE request_id = :request AND digest = :digest "
    "AND outcome = 'approved'"
)


def voids(session: Session, request_id: str) -> dict[str, DecisionVoid]:
    """Why decisions on a request no longer count, by decision."""
    rows = session.exec(
        select(DecisionVoid)
        .join(Decision, col(Decision.id) == DecisionVoid.decision_id)
        .where(Decision.request_id == request_id)
    )
    return {row.decision_id: row for row in rows}


def needs(session: Session, request: Request, stage: Stage) -> tuple[Need, ...]:
    """What a gate of the current digest needs: what was pinned at its opening, and always an
    approval in its own role; of a gate that is not open yet, what the policy will ask."""
    if requests.gate(session, request, stage) is None:
        return policies.needs(session, request, stage)
    rows = session.exec(
        select(GateNeed).where(
            GateNeed.request_id == request.id,
            GateNeed.digest == request.digest,
            GateNeed.stage == stage,
        )
    )
    pinned = tuple(Need(Role(row.role), row.approvals) for row in rows)
    return gate_of(stage, [GateRule(pinned)]).needs


def pin(session: Session, request: Request, stage: Stage, asked: Sequence[Need]) -> None:
    """Keeps what a gate needs beside one approval in its own role, once, when it opens: a policy
    that changes later changes nothing here."""
    for need in asked:
        if need != Need(GATE_ROLES[stage]):
            session.add(
                GateNeed(
                    request_id=request.id,
                    digest=request.digest,
                    stage=stage,
                    role=need.role,
                    approvals=need.approvals,
                )
            )
    session.flush()


def role_in(session: Session, request: Request, stage: Stage, role: Role) -> Role | None:
    """The role in which somebody would decide at a gate: None for its own, else one that the policy
    asks for there beside it. Raises NotEligible."""
    if role is GATE_ROLES[stage]:
        return None
    asked = [need.role for need in needs(session, request, stage)]
    if role not in asked:
        raise NotEligible("role", f"This needs the role {' or '.join(asked)}.")
    return role


def lacking(
    session: Session, request: Request, stage: Stage, case: Case | None = None
) -> tuple[Need, ...]:
    """Who has still to approve at a gate. `case`: the request's, where somebody has just read it:
    what nobody has decided needs no looking for votes."""
    nobody = case is not None and not case.deciders
    return missing(needs(session, request, stage), () if nobody else votes(session, request, stage))


def votes(session: Session, request: Request, stage: Stage) -> list[Vote]:
    """What counts at one gate so far."""
    return [
        Vote(d.actor_id, role_of(d), Outcome(d.outcome))
        for d in counted(session, request)
        if d.stage == stage
    ]


def next_gate(session: Session, request: Request) -> Stage | None:
    """The first gate of the current digest that is not approved; None behind the last one."""
    session.flush()
    of_digest = {"request": request.id, "digest": request.digest}
    approved = set(session.connection().execute(APPROVED, of_digest).scalars())
    return next((stage for stage in GATES if stage not in approved), None)


def void(
    session: Session,
    taken: Sequence[Decision],
    reason: str,
    by: str,
    interest_id: str | None = None,
    note: str | None = None,
) -> list[str]:
    """Lets decisions no longer count; returns the ids of those that did until now."""
    ended: list[str] = []
    for decision in taken:
        if session.get(DecisionVoid, decision.id) is None:
            session.add(
                DecisionVoid(
                    decision_id=decision.id,
                    reason=reason,
                    voided_by=by,
                    interest_id=interest_id,
                    note=note,
                    at=now(),
                )
            )
            ended.append(decision.id)
    session.flush()
    return ended


def demand_retractable(session: Session, request: Request, taken: Decision) -> None:
    """Raises Refused unless this approval can be taken back: until the next gate's first decision,
    and, behind the last gate, until an export is triggered (F11)."""
    later = GATES[GATES.index(Stage(taken.stage)) + 1 :]
    if taken.digest != request.digest or taken.outcome != Outcome.APPROVED:
        raise Refused("wrong_state", "Only an approval of the current digest can be taken back.")
    if request.state not in (*GATES, RequestState.CLEARED):
        raise Refused("wrong_state", f"The request is {request.state}: it is too late for that.")
    if any(one.stage in later for one in counted(session, request)):
        raise Refused("wrong_state", "The next gate has decided: ask its people to return it.")


def undo(
    unit: Unit,
    request: Request,
    taken: Sequence[Decision],
    reason: str,
    by: str,
    interest_id: str | None = None,
    note: str | None = None,
) -> list[str]:
    """Lets decisions on the current digest no longer count, takes away the clearance that stood on
    them, stops an export that has released nothing, and opens their gates again, unless the request
    was returned and waits for a revision. Returns the ids of those that counted until now."""
    ended = void(unit.session, taken, reason, by, interest_id, note)
    if not ended:
        return []
    clearances.void(unit.session, request, reason)
    export = exports.live(unit.session, request.id, request.digest)
    if export is not None:
        detail = "A decision behind the clearance no longer counts."
        exports.stop(export, ExportState.CANCELLED, "export_cancelled", detail)
        _tell(unit, request, by, "export.cancelled", export.id, export=export.id)
    for one in taken:
        if one.id in ended:
            said = {"stage": one.stage, "reason": reason}
            _tell(unit, request, by, "decision.voided", request.id, decision=one.id, **said)
    if request.state != RequestState.RETURNED:
        reopen(unit.session, request, [Stage(d.stage) for d in taken if d.id in ended])
    return ended


def _tell(unit: Unit, request: Request, by: str, what: str, subject: str, **data: str) -> None:
    unit.audit(by, what, request.id, **data)
    unit.tell(what, subject, partner_id=request.partner_id, request_id=request.id, **data)


def reopen(session: Session, request: Request, stages: Sequence[Stage]) -> None:
    """These gates of the current digest wait for people again. The process gathers the findings of
    the first of them anew and sets its deadline; gates that stand are passed as they are. A request
    that was returned goes on waiting for its partner: this digest is not decided any further."""
    for stage in stages:
        gate = session.get(Gate, (request.id, request.digest, stage))
        if gate is not None:
            gate.outcome, gate.closed_at = None, None
    session.flush()
    if request.state == RequestState.RETURNED:
        return
    first = next_gate(session, request)
    if first is not None:
        requests.move(request, RequestState(first))
    request.waiting_stage, request.waiting_until = None, None


def reopened_ids(session: Session) -> frozenset[str]:
    """Requests with a gate that lost its decision and that nobody waits at yet, or whose engineer
    was recused in the last hour: the process has to hear of it."""
    stopped = session.exec(
        select(Request.id)
        .join(Export, col(Export.request_id) == Request.id)
        .where(
            Request.state == RequestState.CLEARED,
            Export.digest == Request.digest,
            Export.code == exports.ENGINEER_RECUSED,
            col(Export.ended_at) > now() - timedelta(hours=1),
        )
    )
    return frozenset(stopped) | frozenset(
        session.exec(
            select(Request.id)
            .join(Decision, col(Decision.request_id) == Request.id)
            .join(DecisionVoid, col(DecisionVoid.decision_id) == Decision.id)
            .where(
                Decision.digest == Request.digest,
                col(Request.state).in_(GATES),
                col(Request.waiting_stage).is_(None),
            )
        )
    )
