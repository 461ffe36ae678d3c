"""Consent reports: what a scope came to when it was counted, at each moment that it is counted."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.consent import Coverage
from sharing.records.requests import Request
from sharing.records.tables import Position, now
from sharing.records.unit import Unit

COUNTER = "system:consent_verification-findings"


class Moment(StrEnum):
    """When a scope is counted. Per shard and at release every subject is asked by itself."""

    SUBMISSION = "submission"
    GATE = "gate"
    TRIGGER = "trigger"


class ConsentReport(SQLModel, table=True):
    """One count of a revision's scope over the ledger as it stood at `position`; never changed.

    `breakdown` counts covered objects by notice version, jurisdiction and month of consent;
    `sample` holds positions of evidence, drawn by `seed`.
    """

    __tablename__ = "consent_report"
    id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    digest: str
    moment: str
    position: int = Field(sa_type=Position)
    objects: int
    subjects: int
    covered_objects: int
    covered_subjects: int
    excluded: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    breakdown: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    sample: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    seed: str
    terms_sha256: str
    decisions_sha256: str
    taken_at: datetime


def keep(unit: Unit, request: Request, moment: Moment, counted: Coverage, run: str = "") -> None:
    """Keeps a report on the request's present digest, once for each moment (and export `run`)."""
    named = f"{request.id}|{request.digest}|{moment}|{run}"
    report_id = f"crp_{hashlib.sha256(named.encode()).hexdigest()[:20]}"
    if unit.session.get(ConsentReport, report_id) is not None:
        return
    unit.session.add(
        ConsentReport(
            id=report_id,
            request_id=request.id,
            digest=request.digest,
            moment=moment,
            position=counted.position,
            objects=counted.objects,
            subjects=counted.subjects,
            covered_objects=counted.covered_objects,
            covered_subjects=counted.covered_subjects,
            excluded=dict(counted.excluded),
            breakdown={name: dict(counts) for name, counts in counted.breakdown.items()},
            sample=list(counted.sample),
            seed=counted.seed,
            terms_sha256=counted.terms_sha256,
            decisions_sha256=counted.decisions_sha256,
            taken_at=now(),
        )
    )
    unit.audit(
        COUNTER,
        "consent.counted",
        request.id,
        report=report_id,
        moment=str(moment),
        position=counted.position,
        covered=counted.covered_objects,
        decisions=counted.decisions_sha256,
    )


def at_gate(session: Session, request_id: str, digest: str) -> ConsentReport | None:
    """The count that gate 2 saw of a revision; None where it has not been taken."""
    return session.exec(
        select(ConsentReport).where(
            ConsentReport.request_id == request_id,
            ConsentReport.digest == digest,
            ConsentReport.moment == Moment.GATE,
        )
    ).first()


def of_request(session: Session, request_id: str) -> Sequence[ConsentReport]:
    """Every report on a request, in the order they were taken."""
    return session.exec(
        select(ConsentReport)
        .where(ConsentReport.request_id == request_id)
        .order_by(col(ConsentReport.taken_at), col(ConsentReport.id))
    ).all()
