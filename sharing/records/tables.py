"""What all tables share: names for constraints, ids, and the clock."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Integer
from sqlmodel import SQLModel

# Constraints need names before the first table is declared, or SQLite cannot alter them later.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# A place in a sequence that only grows. Four bytes end at 2,147,483,647, and with the audit log
# everything would. On SQLite an INTEGER has eight bytes, and as a key it is the row's own number.
Position = BigInteger().with_variant(Integer(), "sqlite")


_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def new_id(prefix: str) -> str:
    """An opaque id such as `req_9f...`: 80 random bits, nothing personal in it."""
    return f"{prefix}_{secrets.token_hex(10)}"


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def since_1970(moment: datetime) -> int:
    """Whole microseconds from the beginning of 1970, UTC, to a moment."""
    return (moment - _EPOCH) // _MICROSECOND


def rfc3339(moment: datetime) -> str:
    """A UTC moment as it is told outside: `2026-11-23T05:05:49.123456Z`."""
    return moment.isoformat().replace("+00:00", "Z")
