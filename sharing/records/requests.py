"""Requests, their revisions, the gates they pass, and the decisions taken there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.eligibility import Case
from sharing.errors import NotFound
from sharing.findings import Finding
from sharing.records.accounts import accounts, all_accounts
from sharing.records.hands import acted_for, hands
from sharing.records.interests import recused_from
from sharing.records.sponsors import meant, sponsor_id
from sharing.records.tables import now
from sharing.request import Revision
from sharing.stages import ENDED, RequestState, Result, Stage
from sharing.transitions import demand_possible


class Request(SQLModel, table=True):
    """A case from submission to close. `waiting_*` say what it waits for and until when."""

    __tablename__ = "request"
    id: str = Field(primary_key=True)
    partner_id: str = Field(foreign_key="partner.id", index=True)
    title: str
    state: str = Field(index=True)
    revision: int
    digest: str
    sponsor: str | None = None
    waiting_stage: str | None = None
    waiting_until: datetime | None = None
    submitted_at: datetime
    ended_at: datetime | None = None


class RequestRevision(SQLModel, table=True):
    """One version of a request's scope, exactly as it was signed for."""

    __tablename__ = "revision"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    number: int = Field(primary_key=True)
    digest: str = Field(unique=True)
    dataset_id: str = Field(foreign_key="dataset.id")
    index_version: int
    policy: int = 1  # the version that it was submitted under, and is judged under
    age_recipient: str | None = None
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    submitted_at: datetime


class Gate(SQLModel, table=True):
    """One gate opened for one digest: what the machine found, and what the gate came to."""

    __tablename__ = "gate"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    digest: str = Field(primary_key=True, foreign_key="revision.digest")
    stage: str = Field(primary_key=True)
    findings: list[dict[str, str]] = Field(sa_column=Column(JSON, nullable=False))
    findings_digest: str
    agreement_digest: str | None = None
    opened_at: datetime
    until: datetime
    # When people are reminded, and others told, of this opening; and whether that was done.
    reminds_at: datetime | None = None
    escalates_at: datetime | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    escalated_to: list[str] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    outcome: str | None = None
    closed_at: datetime | None = None


class Decision(SQLModel, table=True):
    """A person's binding act at a gate. Never changed; a new digest voids it by not being its."""

    __tablename__ = "decision"
    __table_args__ = (
        # What a clearance's foreign keys point at. That no person acts twice on one request (I2) is
        # the decision rule's: a person who took a decision back may decide again.
        UniqueConstraint(
            "id", "request_id", "digest", "stage", "outcome", "actor_id", name="uq_decision_whole"
        ),
        Index("ix_decision_digest", "request_id", "digest"),
        ForeignKeyConstraint(
            ["declaration_id", "actor_id"],
            ["declaration.id", "declaration.person_id"],
            name="fk_decision_own_declaration",
        ),
        ForeignKeyConstraint(
            ["request_id", "digest", "stage"],
            ["gate.request_id", "gate.digest", "gate.stage"],
            name="fk_decision_gate",
        ),
        CheckConstraint("outcome IN ('approved', 'refused', 'returned')", name="outcome"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )
    id: str = Field(primary_key=True)
    request_id: str
    digest: str
    stage: str
    actor_id: str = Field(foreign_key="person.id")
    role: str | None = None  # in which the actor decided; the gate's own where none is named
    outcome: str
    reason: str
    conditions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    findings_digest: str
    agreement_digest: str | None = None
    declaration_id: str
    answers: dict[str, str] | None = Field(default=None, sa_column=Column(JSON))
    at: datetime
    signature: str


class DecisionVoid(SQLModel, table=True):
    """A decision that no longer counts, since when and why: its decider took it back, has an
    interest that became known, or turned out to be somebody who must not decide here under another
    account. It stays readable (F6). `note`: what who took it back said."""

    __tablename__ = "decision_void"
    __table_args__ = (
        CheckConstraint("reason IN ('interest', 'taken_back', 'same_person')", name="reason"),
    )
    decision_id: str = Field(primary_key=True, foreign_key="decision.id")
    reason: str
    voided_by: str
    interest_id: str | None = Field(default=None, foreign_key="interest.id")
    note: str | None = None
    at: datetime


def get(session: Session, request_id: str, *, hold: bool = False) -> Request:
    """A request by id, or NotFound. `hold` keeps others from changing it in this transaction."""
    request = session.get(Request, request_id, with_for_update=hold or None, populate_existing=hold)
    if request is None:
        raise NotFound("request", request_id)
    return request


def revision_row(session: Session, request: Request) -> RequestRevision:
    """The current revision's row. It never changes, so a session reads it once."""
    known = session.info.setdefault("revisions", {})
    key = (request.id, request.revision)
    if key not in known:
        known[key] = session.get_one(RequestRevision, key)
    row: RequestRevision = known[key]
    return row


def revision(session: Session, request: Request) -> Revision:
    """The current revision as a value."""
    row = revision_row(session, request)
    return Revision(
        request.id,
        row.number,
        request.partner_id,
        row.age_recipient,
        row.index_version,
        row.body,
        row.policy,
    )


def case(
    session: Session,
    request: Request,
    triggered_by: str | None = None,
    taken: Sequence[Decision] | None = None,
) -> Case:
    """What eligibility needs to know of a request, as it stands now. Everybody is in it with every
    account they have. `taken`: every decision on it, where somebody has just read them."""
    if taken is None:
        taken = session.exec(select(Decision).where(Decision.request_id == request.id)).all()
    behind = acted_for(session, taken)
    ever = hands(taken, behind)
    count = hands(_standing(session, request, taken), behind)
    asking = meant(session, request.sponsor)
    return Case(
        request.partner_id,
        sponsor_id(asking, request.sponsor),
        recused_from(session, request.id),
        all_accounts(session, count),
        triggered_by,
        all_accounts(session, ever - count),
        all_accounts(session, frozenset(asking)),
        accounts(session, triggered_by) if triggered_by else frozenset(),
    )


def _standing(session: Session, request: Request, taken: Sequence[Decision]) -> list[Decision]:
    """Those of a request's decisions that count."""
    current = [one for one in taken if one.digest == request.digest]
    ids = [one.id for one in current]
    void = select(DecisionVoid.decision_id).where(col(DecisionVoid.decision_id).in_(ids))
    gone = set(session.exec(void)) if current else set()
    return [one for one in current if one.id not in gone]


def counted(session: Session, request: Request) -> list[Decision]:
    """The decisions on the current digest that count, in the order they were taken."""
    return list(
        session.exec(
            select(Decision)
            .where(
                Decision.request_id == request.id,
                Decision.digest == request.digest,
                col(Decision.id).not_in(select(DecisionVoid.decision_id)),
            )
            .order_by(col(Decision.at))
        )
    )


def gate(session: Session, request: Request, stage: Stage) -> Gate | None:
    """A gate of the current digest, if it was opened."""
    return session.get(Gate, (request.id, request.digest, stage))


def open_gate(session: Session, request: Request) -> Gate | None:
    """The gate of the current digest that waits for a decision, if there is one."""
    return session.exec(
        select(Gate).where(
            Gate.request_id == request.id,
            Gate.digest == request.digest,
            Gate.stage == request.waiting_stage,  # a later one may be open too, and wait its turn
            col(Gate.outcome).is_(None),
        )
    ).first()


def findings(row: Gate) -> list[Finding]:
    """A gate's findings as values."""
    return [Finding(f["check"], Result(f["result"]), f["detail"]) for f in row.findings]


def gates_of(session: Session, request_id: str) -> list[Gate]:
    """Every gate ever opened for a request, in the order of opening."""
    return list(
        session.exec(
            select(Gate).where(Gate.request_id == request_id).order_by(col(Gate.opened_at))
        )
    )


def decisions_of(session: Session, request_id: str) -> list[Decision]:
    """Every decision ever taken on a request, voided ones too (F6)."""
    return list(
        session.exec(
            select(Decision).where(Decision.request_id == request_id).order_by(col(Decision.at))
        )
    )


def open_ids(session: Session) -> list[str]:
    """Ids of the requests that have not come to their end, oldest first."""
    return list(
        session.exec(
            select(Request.id)
            .where(col(Request.state).not_in(ENDED))
            .order_by(col(Request.submitted_at))
        )
    )


def wait(request: Request, stage: str | None, until: datetime | None) -> None:
    """Says what a request waits for now."""
    request.waiting_stage, request.waiting_until = stage, until


def move(request: Request, state: RequestState) -> None:
    """A request goes on to another state; raises Refused where that cannot follow."""
    demand_possible(request.state, state)
    request.state = state


def end(request: Request, state: RequestState) -> None:
    """A request comes to its end."""
    move(request, state)
    request.ended_at = now()
    wait(request, None, None)
