"""When the audit log was last read from end to end, by whom, and what that came to. The log itself
is where this is kept, so whoever hides a flaw has to hide it from the next reading, too."""

from typing import Any

from sqlmodel import Session, col, select

from sharing.records import audit
from sharing.records.audit import READINGS, AuditEntry, LogBroken
from sharing.records.unit import Unit

View = dict[str, Any]
WHOLE, BROKEN = "audit.verified", "audit.found_broken"


def look(session: Session) -> View:
    """Reads the whole log: `ok` with how many entries and the last hash, or where it is broken."""
    try:
        entries, head = audit.verify(session)
    except LogBroken as broken:
        return {"ok": False, "detail": str(broken)}
    return {"ok": True, "entries": entries, "head": head}


def note(unit: Unit, by: str, seen: View) -> None:
    """Keeps what a reading came to."""
    kept = {name: value for name, value in seen.items() if name != "ok"}
    unit.audit(by, WHOLE if seen["ok"] else BROKEN, **kept)


def noted(session: Session, before: int, limit: int) -> list[View]:
    """What readings came to, the latest first, each with the position of its entry."""
    rows = select(AuditEntry).where(READINGS, col(AuditEntry.position) < before)
    latest = session.exec(rows.order_by(col(AuditEntry.position).desc()).limit(limit))
    return [_view(row) for row in latest]


def _view(row: AuditEntry) -> View:
    return {
        "position": row.position,
        "at": row.at,
        "by": row.actor,
        "ok": row.action == WHOLE,
        "entries": row.detail.get("entries"),
        "head": row.detail.get("head"),
        "detail": row.detail.get("detail"),
    }
