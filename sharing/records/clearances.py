"""Clearances: rows that the database itself refuses unless four approvals stand behind them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from sharing.clearance import Approval, Clearance
from sharing.eligibility import Act
from sharing.eligibility import demand as demand_eligible
from sharing.errors import NotCleared, NotEligible
from sharing.records import parties, requests
from sharing.records.requests import Decision, Request
from sharing.records.tables import new_id, now
from sharing.stages import GATES, Outcome


def _approval(stage: str) -> ForeignKeyConstraint:
    """Points at an approved decision at this gate, for this request and this digest."""
    return ForeignKeyConstraint(
        ["request_id", "digest", f"{stage}_stage", "outcome", f"{stage}_by"],
        [
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
        UniqueConstraint("request_id", "digest", name="uq_clearance_digest"),
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
    consent_verification_stage: str = "consent_verification"
    consent_verification_by: str
    conflict_signoff_stage: str = "conflict_signoff"
    conflict_signoff_by: str
    legal_approval_stage: str = "legal_approval"
    legal_approval_by: str
    agreement_digest: str
    seal: str
    cleared_at: datetime
    valid_until: datetime


def of(session: Session, request_id: str, digest: str) -> ClearanceRow | None:
    """The clearance of one digest, if there is one."""
    return session.exec(
        select(ClearanceRow).where(
            ClearanceRow.request_id == request_id, ClearanceRow.digest == digest
        )
    ).first()


def add(session: Session, clearance: Clearance) -> ClearanceRow:
    """Writes a clearance; the database looks at every approval again."""
    people = {f"{a.stage}_by": a.actor for a in clearance.approvals}
    row = ClearanceRow(
        id=new_id("clr"),
        request_id=clearance.request_id,
        digest=clearance.digest,
        agreement_digest=clearance.agreement_digest,
        seal=clearance.seal,
        cleared_at=clearance.cleared_at,
        valid_until=clearance.valid_until,
        **people,
    )
    session.add(row)
    return row


def demand(session: Session, request_id: str, digest: str, at: datetime) -> Clearance:
    """The clearance of a digest as a value, sealed anew from the decisions' own rows; raises
    NotCleared where there is none, where it does not cover this moment, or where it was altered."""
    row = of(session, request_id, digest)
    if row is None:
        raise NotCleared("There is no clearance for this digest.")
    clearance = Clearance(
        request_id,
        digest,
        _approvals(session, row),
        row.agreement_digest,
        row.cleared_at,
        row.valid_until,
    )
    if clearance.seal != row.seal:
        raise NotCleared("The clearance does not match the decisions it was sealed from.")
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
            demand_eligible(Act.DECIDE, person, nobody_yet, approval.stage)
    except (NotCleared, NotEligible):
        return False
    return True


def _approvals(session: Session, row: ClearanceRow) -> tuple[Approval, ...]:
    decisions = session.exec(
        select(Decision).where(
            Decision.request_id == row.request_id,
            Decision.digest == row.digest,
            Decision.outcome == "approved",
        )
    )
    by_stage = {d.stage: d for d in decisions}
    if set(by_stage) != set(GATES):
        raise NotCleared("An approval behind this clearance is missing.")
    return tuple(
        Approval(stage, d.actor_id, d.digest, Outcome(d.outcome), d.id)
        for stage in GATES
        for d in (by_stage[stage],)
    )
