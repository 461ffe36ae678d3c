"""Clearances: rows that the database itself refuses unless four approvals stand behind them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.clearance import Approval, Clearance, distinct
from sharing.eligibility import Act
from sharing.eligibility import demand as demand_eligible
from sharing.errors import NotCleared, NotEligible
from sharing.records import parties, requests
from sharing.records.accounts import human
from sharing.records.requests import Request
from sharing.records.tables import new_id, now
from sharing.stages import GATE_ROLES, GATES, Outcome, Role


def _approval(stage: str) -> ForeignKeyConstraint:
    """Points at an approved decision at this gate, for this request and this digest."""
    return ForeignKeyConstraint(
        [f"{stage}_decision", "request_id", "digest", f"{stage}_stage", "outcome", f"{stage}_by"],
        [
            "decision.id",
            "decision.request_id",
            "decision.digest",
            "decision.stage",
            "decision.outcome",
            "decision.actor_id",
        ],
        name=f"fk_clearance_{stage}",
    )


class ClearanceRow(SQLModel, table=True):
    """The four approved outcomes for one digest, by four distinct people; it runs out."""

    __tablename__ = "clearance"
    __table_args__ = (
        Index("ix_clearance_digest", "request_id", "digest"),
        *(_approval(stage) for stage in GATES),
        *(CheckConstraint(f"{stage}_stage = '{stage}'", name=f"{stage}_stage") for stage in GATES),
        CheckConstraint("outcome = 'approved'", name="approved"),
        *(
            CheckConstraint(f"{a}_by <> {b}_by", name=f"distinct_{i}{j}")
            for i, a in enumerate(GATES)
            for j, b in enumerate(GATES)
            if i < j
        ),
        CheckConstraint("valid_until > cleared_at", name="validity"),
    )
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id")
    digest: str = Field(foreign_key="revision.digest")
    outcome: str = "approved"
    purpose_review_stage: str = "purpose_review"
    purpose_review_by: str
    purpose_review_decision: str
    consent_verification_stage: str = "consent_verification"
    consent_verification_by: str
    consent_verification_decision: str
    conflict_signoff_stage: str = "conflict_signoff"
    conflict_signoff_by: str
    conflict_signoff_decision: str
    legal_approval_stage: str = "legal_approval"
    legal_approval_by: str
    legal_approval_decision: str
    agreement_digest: str
    seal: str
    cleared_at: datetime
    valid_until: datetime


class ClearanceVoid(SQLModel, table=True):
    """A clearance that is worth nothing any more: a decision behind it was voided. Its gates wait
    again, and another clearance of the same digest may follow."""

    __tablename__ = "clearance_void"
    clearance_id: str = Field(primary_key=True, foreign_key="clearance.id")
    reason: str
    at: datetime


def of(session: Session, request_id: str, digest: str) -> ClearanceRow | None:
    """The clearance of one digest that stands, if there is one."""
    return session.exec(
        select(ClearanceRow).where(
            ClearanceRow.request_id == request_id,
            ClearanceRow.digest == digest,
            col(ClearanceRow.id).not_in(select(ClearanceVoid.clearance_id)),
        )
    ).first()


def void(session: Session, request: Request, reason: str) -> bool:
    """Takes the clearance of a request's digest away; False where there was none."""
    row = of(session, request.id, request.digest)
    if row is None:
        return False
    session.add(ClearanceVoid(clearance_id=row.id, reason=reason, at=now()))
    session.flush()
    return True


def add(session: Session, clearance: Clearance) -> ClearanceRow:
    """Writes a clearance; the database looks at every approval again. The row names one approval a
    gate, by its own role; that the policy's further ones are there the database sees for itself."""
    named: dict[str, str] = {}
    for stage in GATES:
        first = next(a for a in clearance.approvals if a.stage is stage and a.role is None)
        named |= {f"{stage}_by": first.actor, f"{stage}_decision": first.decision_id}
    row = ClearanceRow(
        id=new_id("clr"),
        request_id=clearance.request_id,
        digest=clearance.digest,
        agreement_digest=clearance.agreement_digest,
        seal=clearance.seal,
        cleared_at=clearance.cleared_at,
        valid_until=clearance.valid_until,
        **named,
    )
    session.add(row)
    return row


def demand(session: Session, request_id: str, digest: str, at: datetime) -> Clearance:
    """The clearance of a digest as a value, sealed anew from the decisions' own rows; raises
    NotCleared where there is none, where it does not cover this moment, or where it was altered."""
    row = of(session, request_id, digest)
    if row is None:
        raise NotCleared("There is no clearance for this digest.")
    request = requests.get(session, request_id)
    if request.digest != digest:
        raise NotCleared("The request has changed since: this digest is cleared no more.")
    clearance = Clearance(
        request_id,
        digest,
        approvals(session, request),
        row.agreement_digest,
        row.cleared_at,
        row.valid_until,
    )
    if clearance.seal != row.seal:
        raise NotCleared("The clearance does not match the decisions it was sealed from.")
    if not distinct(clearance.approvals):
        raise NotCleared("Two accounts behind the clearance turned out to be one person's.")
    if not clearance.covers(request_id, digest, at):
        raise NotCleared(f"The clearance ran out at {row.valid_until:%Y-%m-%d %H:%M} UTC.")
    return clearance


def stands(session: Session, request: Request) -> bool:
    """True while the clearance of a request's digest is worth something: it has not run out, and
    nobody behind it has lost the gate's role or turned out to have an interest since."""
    nobody_yet = replace(requests.case(session, request), deciders=frozenset())
    try:
        clearance = demand(session, request.id, request.digest, now())
        for approval in clearance.approvals:
            person = parties.actor(session, approval.actor)
            if person is None:
                return False
            # A statement that has run out since takes back nothing that was decided under it.
            person = replace(person, lapsed=False)
            demand_eligible(Act.DECIDE, person, nobody_yet, approval.stage, approval.role)
    except (NotCleared, NotEligible):
        return False
    return True


def approvals(session: Session, request: Request) -> tuple[Approval, ...]:
    """The approvals of the current digest that count, in gate order and in the order taken."""
    taken = [d for d in requests.counted(session, request) if d.outcome == Outcome.APPROVED]
    return tuple(
        Approval(
            stage,
            d.actor_id,
            d.digest,
            Outcome(d.outcome),
            d.id,
            None if d.role in (None, GATE_ROLES[stage]) else Role(d.role or ""),
            human(session, d.actor_id),
        )
        for stage in GATES
        for d in taken
        if d.stage == stage
    )
