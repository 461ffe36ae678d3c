"""Clearances: rows that the database itself refuses unless four approvals stand behind them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from sharing.stages import GATES


def _approval(stage: str) -> ForeignKeyConstraint:
    """Points at an approved decision at this gate, for this request and this digest."""
    return ForeignKeyConstraint(
        ["request_id", "digest", f"{stage}_stage", "outcome", f"{stage}_by"],
        ["decision.request_id", "decision.digest", "decision.stage", "decision.outcome",
         "decision.actor_id"],
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
            for i, a in enumerate(GATES) for j, b in enumerate(GATES) if i < j
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
