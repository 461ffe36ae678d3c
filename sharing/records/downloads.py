"""What was fetched of a delivered package, as the audit log has it: file by file."""

from typing import Any

from sqlmodel import Session, col, select

from sharing.records.audit import AuditEntry

View = dict[str, Any]
ASKED, SENT = "package.downloaded", "package.sent"


def of_export(session: Session, export_id: str, request_id: str) -> list[View]:
    """Each file of a package that was asked for: how often, how many bytes were handed over, how
    often to its end, and when it was last asked for. The latest first."""
    files: dict[str, View] = {}
    log = select(AuditEntry.action, AuditEntry.at, AuditEntry.detail).where(
        AuditEntry.request_id == request_id, col(AuditEntry.action).in_((ASKED, SENT))
    )
    for action, at, detail in session.exec(log.order_by(col(AuditEntry.position))):
        if detail.get("export") != export_id:
            continue
        blank = {"file": detail["file"], "asked": 0, "bytes": 0, "complete": 0, "at": at}
        here = files.setdefault(detail["file"], blank)
        if action == ASKED:
            here["asked"] += 1
            here["at"] = at
        else:
            here["bytes"] += detail["bytes"]
            here["complete"] += bool(detail["complete"])
    return sorted(files.values(), key=lambda one: one["at"], reverse=True)
