"""The agreements that shares are under, by digest."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel

from sharing.legal import agreement_digest
from sharing.records.tables import now


class Agreement(SQLModel, table=True):
    """Terms as drafted for one revision; never changed."""

    __tablename__ = "agreement"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    digest: str = Field(primary_key=True)
    terms: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    drafted_at: datetime


def draft(session: Session, request_id: str, terms: dict[str, Any]) -> str:
    """Records terms once; returns their digest."""
    digest = agreement_digest(terms)
    if session.get(Agreement, (request_id, digest)) is None:
        session.add(Agreement(request_id=request_id, digest=digest, terms=terms, drafted_at=now()))
    return digest
