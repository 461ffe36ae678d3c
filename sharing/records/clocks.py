"""What time it is, for those who let consent and clearances run out: never earlier than it can be.

An export worker on a machine whose clock was set back would take for good what ran out long ago. So
no moment is before the export was triggered and confirmed, which another process recorded, and on a
database with a clock of its own, not before that. A clock that is ahead lets less go, never more,
and is believed; no other worker is made to believe it."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import Session

from sharing.records.exports import Export
from sharing.records.tables import now


def at(session: Session, export: Export) -> datetime:
    """The latest of this machine's clock, the database's, and the trigger of an export."""
    known = (now(), export.triggered_at, export.confirmed_at, _database(session))
    return max(moment for moment in known if moment is not None)


def _database(session: Session) -> datetime | None:
    """The clock of the database's machine; SQLite has none but ours."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    told: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)
