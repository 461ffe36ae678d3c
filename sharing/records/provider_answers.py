"""Answers of an identity provider: each attempt at signing in has one, and is used up by it."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel, col, delete

from sharing.records.parties import hashed
from sharing.records.tables import now
from sharing.records.unit import Unit

REMEMBERED = timedelta(days=1)  # far longer than an attempt lasts


class ProviderAnswer(SQLModel, table=True):
    """An attempt that was answered, by the sha256 of its state."""

    __tablename__ = "provider_answer"
    state: str = Field(primary_key=True)
    at: datetime


def take(unit: Unit, state: str) -> bool:
    """Uses an attempt up; False if it was used before."""
    old = now() - REMEMBERED
    unit.session.execute(delete(ProviderAnswer).where(col(ProviderAnswer.at) < old))
    if unit.session.get(ProviderAnswer, hashed(state)) is not None:
        return False
    unit.session.add(ProviderAnswer(state=hashed(state), at=now()))
    return True
