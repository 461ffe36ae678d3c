"""The agreements that shares are under, by digest, and the versions that a request went through."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing import agreement
from sharing.errors import NotFound, Refused
from sharing.orders import Order
from sharing.records import requests
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import RequestState, Stage


class Agreement(SQLModel, table=True):
    """Text and terms; never changed."""

    __tablename__ = "agreement"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    digest: str = Field(primary_key=True)
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    drafted_at: datetime


class AgreementVersion(SQLModel, table=True):
    """Which agreement a revision was under from then on: number 1 is the template's, each further
    one has a term more. `evidence` is what is left of the order that it came by; there is none
    where nobody but the machine made it."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "agreement_digest"],
            ["agreement.request_id", "agreement.digest"],
            name="fk_agreement_version_agreement",
        ),
    )
    request_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True, foreign_key="revision.digest")
    number: int = Field(primary_key=True)
    agreement_digest: str
    order_id: str | None = Field(default=None, unique=True)
    made_by: str | None = None
    evidence: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime


def add(
    session: Session,
    request_id: str,
    digest: str,
    terms: Mapping[str, Any],
    order: Order | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> AgreementVersion:
    """The next version of a revision's agreement, and by whose order."""
    named = agreement.digest(terms)
    if session.get(Agreement, (request_id, named)) is None:
        session.add(
            Agreement(request_id=request_id, digest=named, terms=dict(terms), drafted_at=now())
        )
    session.flush()  # what the version names is there before it
    row = AgreementVersion(
        request_id=request_id,
        digest=digest,
        number=len(versions(session, request_id, digest)) + 1,
        agreement_digest=named,
        order_id=order.id if order else None,
        made_by=order.actor if order else None,
        evidence={"signature": order.signature, **(evidence or {})} if order else {},
        at=now(),
    )
    session.add(row)
    return row


def versions(session: Session, request_id: str, digest: str) -> list[AgreementVersion]:
    """Every version of a revision's agreement, the first one first."""
    return list(
        session.exec(
            select(AgreementVersion)
            .where(AgreementVersion.request_id == request_id, AgreementVersion.digest == digest)
            .order_by(col(AgreementVersion.number))
        )
    )


def current(session: Session, request: Request) -> AgreementVersion:
    """The latest version for the current revision; raises NotFound where there is none yet."""
    found = versions(session, request.id, request.digest)
    if not found:
        raise NotFound("agreement", request.id)
    return found[-1]


def by_order(session: Session, order_id: str) -> AgreementVersion | None:
    """The version that an order made, if it made one."""
    return session.exec(
        select(AgreementVersion).where(AgreementVersion.order_id == order_id)
    ).first()


def demand_open(session: Session, request: Request, named: str) -> Gate:
    """The legal gate, if a term can be added there now to the version of that digest; raises
    Refused. What somebody has approved already does not change any more."""
    gate = requests.gate(session, request, Stage.LEGAL_APPROVAL)
    if request.state == RequestState.EXPIRED or (gate is not None and gate.until <= now()):
        raise Refused("too_late", "The deadline of legal_approval has passed.")
    if gate is None or request.state != RequestState.LEGAL_APPROVAL:
        raise Refused("wrong_stage", f"The request is {request.state}, not at legal_approval.")
    demand_read(gate, named)
    if any(taken.stage == gate.stage for taken in requests.counted(session, request)):
        raise Refused(
            "already_decided", "Counsel decided on this version of the agreement already."
        )
    return gate


def demand_read(gate: Gate, named: str | None) -> None:
    """Raises Refused for a decision on another version than the one that the gate is about."""
    if named is not None and named != gate.agreement_digest:
        raise Refused(
            "stale_digest", "The agreement has changed since: read it again, then decide on it."
        )


def terms(session: Session, version: AgreementVersion) -> dict[str, Any]:
    """Text and terms of a version."""
    return session.get_one(Agreement, (version.request_id, version.agreement_digest)).terms
