"""Public halves of the keys that sign orders, packages and consent receipts."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from sharing.errors import Refused
from sharing.orders import Order, Verb, demand_signed
from sharing.records.tables import now, rfc3339


class SigningKey(SQLModel, table=True):
    """A public key, base64 of 32 raw bytes, and what it signs: `order`, `seal` or `receipt`."""

    __tablename__ = "signing_key"
    key: str = Field(primary_key=True)
    purpose: str
    added_at: datetime
    revoked_at: datetime | None = None


def register(session: Session, purpose: str, key: str) -> bool:
    """Adds a key; False if it was there already. Raises Refused for one that was retired: what it
    would sign from now on, nobody should believe."""
    known = session.get(SigningKey, key)
    if known is not None:
        _demand_standing(known)
        return False
    session.add(SigningKey(key=key, purpose=purpose, added_at=now()))
    return True


def known(session: Session, purpose: str) -> Sequence[str]:
    """The keys that are trusted for a purpose now, oldest first."""
    return list(
        session.exec(
            select(SigningKey.key)
            .where(SigningKey.purpose == purpose, col(SigningKey.revoked_at).is_(None))
            .order_by(col(SigningKey.added_at))
        )
    )


def all_of(session: Session, purpose: str) -> Sequence[SigningKey]:
    """Every key that ever stood for a purpose, oldest first."""
    return list(
        session.exec(
            select(SigningKey)
            .where(SigningKey.purpose == purpose)
            .order_by(col(SigningKey.added_at))
        )
    )


def demand_standing(session: Session, key: str) -> None:
    """Raises Refused where a key was retired."""
    _demand_standing(session.get(SigningKey, key))


def _demand_standing(known: SigningKey | None) -> None:
    if known is not None and known.revoked_at is not None:
        raise Refused(
            "key_retired",
            f"The {known.purpose} key {known.key} was retired at {rfc3339(known.revoked_at)}: give "
            "this process another.",
        )


def demand_order(session: Session, order: Order, verb: Verb) -> None:
    """Raises Refused unless the API signed this order, in the transaction that records it (I27)."""
    demand_signed(order, verb, known(session, "order"))
