"""Looking back: what a partner asked for before, what it holds, and what it owes; and how one
revision of a request differs from another."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from sharing.agreement import due_dates
from sharing.errors import NotFound
from sharing.records import agreements
from sharing.records.inbox_rows import bodies_of
from sharing.records.recalls import RecallItem
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.stages import RequestState

View = dict[str, Any]
AT_MOST = 20
MISSING = object()


def earlier(session: Session, request: Request) -> View:
    """The other requests of the same partner, the latest first, how many of each outcome there
    are, and what is still to come back from what it holds."""
    return of_partner(session, request.partner_id, besides=request.id)


def of_partner(session: Session, partner_id: str, besides: str = "") -> View:
    """The same of all that a partner asked for."""
    others = (Request.partner_id == partner_id, col(Request.id) != besides)
    counted = session.exec(
        select(Request.state, func.count()).where(*others).group_by(Request.state)
    ).all()
    latest = select(Request).where(*others).order_by(col(Request.submitted_at).desc())
    rows = session.exec(latest.limit(AT_MOST)).all()
    bodies = bodies_of(session, rows)
    return {
        "counts": dict(counted),
        "requests": [_row(session, row, bodies[row.id]) for row in rows],
        "recalls": _recalls(session, partner_id),
    }


def _row(session: Session, row: Request, body: View) -> View:
    return {
        "id": row.id,
        "title": row.title,
        "state": row.state,
        "purpose": body["purpose"],
        "dataset": body["dataset"],
        "submitted_at": row.submitted_at,
        "ended_at": row.ended_at,
        "duties": _duties(session, row) if row.state == RequestState.DELIVERED else [],
    }


def _duties(session: Session, row: Request) -> list[View]:
    """What a delivered share still obliges its recipient to, by date."""
    try:
        terms = agreements.terms(session, agreements.current(session, row))
    except NotFound:
        return []
    if row.ended_at is None:
        return []
    dates = due_dates(terms, row.ended_at)
    return [{"action": d.action, "at": d.at, "past": d.at < now()} for d in dates][:3]


def _recalls(session: Session, partner_id: str) -> View:
    """Subjects whose objects are to come back from this partner, by state of the recall."""
    rows = session.exec(
        select(RecallItem.state, func.count())
        .where(RecallItem.partner_id == partner_id)
        .group_by(RecallItem.state)
    )
    return dict(rows.all())


def revisions(session: Session, request: Request) -> list[RequestRevision]:
    """Every revision of a request, the oldest first."""
    rows = select(RequestRevision).where(RequestRevision.request_id == request.id)
    return list(session.exec(rows.order_by(col(RequestRevision.number))))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[View]:
    """Which answers differ, by path (`scope.limit`), with both values; None where there is none."""
    old, new = flat(before), flat(after)
    return [
        {"path": path, "before": old.get(path), "after": new.get(path)}
        for path in sorted({*old, *new})
        if old.get(path, MISSING) != new.get(path, MISSING)
    ]


def flat(body: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The answers of a request by path, such as `scope.limit`."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        path = f"{above}{name}"
        found |= flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found
