"""Acceptances: which version of an agreement a partner said yes to, how, and how that is known.
The database itself refuses one of any other than the current version."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from sharing.errors import NotFound, Refused
from sharing.records import requests
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import Outcome, RequestState, Stage


class Acceptance(SQLModel, table=True):
    """A partner's yes to one version; never changed. `signature` is the API's, over the order."""

    __tablename__ = "acceptance"
    __table_args__ = (
        UniqueConstraint("request_id", "digest", "agreement_digest", name="uq_acceptance_version"),
        ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_acceptance_agreement",
        ),
    )
    id: str = Field(primary_key=True)
    request_id: str
    digest: str = Field(foreign_key="revision.digest")
    agreement_digest: str
    partner_id: str = Field(foreign_key="partner.id")
    method: str
    key_id: str | None = Field(default=None, foreign_key="partner_key.id")
    link_id: str | None = Field(default=None, foreign_key="acceptance_link.id")
    signatory: str | None = None
    evidence: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    signature: str
    at: datetime


def of(session: Session, request_id: str, digest: str, agreement: str) -> Acceptance | None:
    """The acceptance of exactly this version of exactly this revision's agreement."""
    return session.exec(
        select(Acceptance).where(
            Acceptance.request_id == request_id,
            Acceptance.digest == digest,
            Acceptance.agreement_digest == agreement,
        )
    ).first()


def stands(session: Session, request: Request, agreement: str | None) -> bool:
    """True if the partner has accepted this version for the current revision."""
    return agreement is not None and of(session, request.id, request.digest, agreement) is not None


def awaited(request: Request, gate: Gate | None) -> bool:
    """True while counsel has approved and only the partner's yes is missing."""
    return (
        gate is not None
        and gate.stage == Stage.LEGAL_APPROVAL
        and gate.outcome == Outcome.APPROVED
        and gate.digest == request.digest
        and request.state == RequestState.LEGAL_APPROVAL
    )


def demand_acceptable(
    session: Session, request: Request, partner_id: str, digest: str, agreement: str
) -> Gate:
    """The legal gate, if this partner may now accept this version there; raises Refused."""
    if request.partner_id != partner_id:
        raise NotFound("request", request.id)
    if digest != request.digest:
        raise Refused("stale_digest", "The request has changed since: read its agreement again.")
    if request.state == RequestState.EXPIRED:
        raise Refused("too_late", "The deadline has passed: the request expired.")
    gate = requests.gate(session, request, Stage.LEGAL_APPROVAL)
    if gate is None or request.state != RequestState.LEGAL_APPROVAL:
        raise Refused("wrong_stage", f"The request is {request.state}, not at legal_approval.")
    if agreement != gate.agreement_digest:
        raise Refused("stale_digest", "This is not the agreement's current version: read it again.")
    if gate.until <= now():
        raise Refused("too_late", "The deadline of legal_approval has passed.")
    if stands(session, request, agreement):
        raise Refused("already_decided", "This version of the agreement was accepted already.")
    return gate
