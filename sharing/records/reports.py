"""Consent reports: what a scope came to when it was counted, at each moment that it is counted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from sharing.records.tables import Position


class ConsentReport(SQLModel, table=True):
    """One count of a revision's scope over the ledger as it stood at `position`; never changed.

    `moment` says when: submission, gate, trigger. `breakdown` counts objects by notice version,
    jurisdiction and month of consent; `sample` holds positions of evidence, drawn by `seed`.
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
