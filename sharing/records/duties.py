"""What a partner owes for what it received: duties by date, duties that wait for something to
happen, and whose objects are to come back."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from sharing.agreement import due_dates
from sharing.errors import NotFound
from sharing.records import agreements, recalls
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.stages import RequestState

View = dict[str, Any]
SHARES, RECALLS = 200, 200


def of_partner(session: Session, partner_id: str) -> View:
    """`dated`: the earliest first, those that are past included; `standing`: of each share, what is
    due once it happens; `recalls`: by export and reason."""
    shares = _shares(session, partner_id)
    dated = [one for request, terms in shares for one in _dated(request, terms)]
    return {
        "dated": sorted(dated, key=lambda one: (one["at"], one["request"], one["action"])),
        "standing": [one for request, terms in shares for one in _standing(request, terms)],
        "recalls": recalls.counted(session, partner_id, ("", ""), RECALLS),
    }


def _shares(session: Session, partner_id: str) -> list[tuple[Request, Mapping[str, Any]]]:
    """Delivered requests with their agreements, the latest delivered first."""
    held = select(Request).where(
        Request.partner_id == partner_id, Request.state == RequestState.DELIVERED
    )
    found: list[tuple[Request, Mapping[str, Any]]] = []
    for row in session.exec(held.order_by(col(Request.ended_at).desc()).limit(SHARES)):
        try:
            found.append((row, agreements.terms(session, agreements.current(session, row))))
        except NotFound:  # from before there were agreements
            continue
    return found


def _dated(request: Request, terms: Mapping[str, Any]) -> list[View]:
    if request.ended_at is None:
        return []
    return [
        {**_of(request, due.action, due.text), "at": due.at, "past": due.at < now()}
        for due in due_dates(terms, request.ended_at)
    ]


def _standing(request: Request, terms: Mapping[str, Any]) -> list[View]:
    spans = ("within_hours", "within_days", "every_days")
    return [
        {
            **_of(request, duty["action"], duty["text"]),
            "after": duty["after"],
            **{name: duty[name] for name in spans if name in duty},
        }
        for duty in terms.get("duties", ())
        if duty.get("after") not in (None, "delivery")
    ]


def _of(request: Request, action: str, text: str) -> View:
    return {"request": request.id, "title": request.title, "action": action, "text": text}
