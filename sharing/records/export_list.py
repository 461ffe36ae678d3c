"""Exports as an engineer looks for them: running, waiting for a second yes, ready to be begun (a
cleared request without an export), ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, and_, col, func, or_, select

from sharing.eligibility import Actor
from sharing.records.export_rows import shown
from sharing.records.exports import Export
from sharing.records.parties import Partner
from sharing.records.requests import Request
from sharing.records.tables import rfc3339
from sharing.request import moment
from sharing.stages import ExportState, RequestState

View = dict[str, Any]
ENDED = (ExportState.DELIVERED, ExportState.FAILED, ExportState.CANCELLED)


class Show(StrEnum):
    """The four views."""

    RUNNING = "running"
    WAITING = "waiting"
    READY = "ready"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a view, words in title, partner or id, a partner, and how it ended.
    `after` is where the page before ended: a moment and an id."""

    show: Show = Show.RUNNING
    words: str = ""
    partner: str = ""
    ended: ExportState | None = None
    after: tuple[str, str] | None = None


@dataclass(slots=True)
class Listed:
    """One page; `counts` of the four views under the same filters; `next` if there is more;
    `partners` that may be filtered by."""

    items: list[View] = field(default_factory=list)
    counts: dict[Show, int] = field(default_factory=dict)
    next: tuple[str, str] | None = None
    partners: dict[str, str] = field(default_factory=dict)


# By which moment each view is ordered, and whether the latest comes first.
_ORDER: dict[Show, tuple[Any, bool]] = {
    Show.RUNNING: (Export.triggered_at, True),
    Show.WAITING: (Export.triggered_at, False),
    Show.READY: (Request.waiting_until, False),
    Show.ENDED: (Export.ended_at, True),
}


def listed(session: Session, person: Actor, sought: Sought, limit: int) -> Listed:
    """At most `limit` of one view, and how many there are of each."""
    names = dict(session.exec(select(Partner.id, Partner.name)).all())
    found = Listed(partners=names, counts={one: _count(session, one, sought) for one in Show})
    rows = _rows(session, sought, limit + 1)
    found.items = shown(session, person, rows[:limit], names)
    if len(rows) > limit:
        found.next = _place(*rows[limit - 1], sought.show)
    return found


def counts(session: Session) -> dict[Show, int]:
    """How many there are of each view."""
    return {one: _count(session, one, Sought()) for one in Show}


def _count(session: Session, show: Show, sought: Sought) -> int:
    statement = select(func.count()).select_from(Request).join(Partner)
    if show is not Show.READY:
        statement = statement.join(Export, col(Export.request_id) == Request.id)
    return session.exec(statement.where(*_wanted(show, sought))).one()


def _rows(session: Session, sought: Sought, limit: int) -> Sequence[tuple[Request, Export | None]]:
    by, latest_first = _ORDER[sought.show]
    number = Request.id if sought.show is Show.READY else Export.id
    ways = [col(one).desc() if latest_first else col(one).asc() for one in (by, number)]
    wanted = [*_wanted(sought.show, sought), *_behind(sought, by, number, latest_first)]
    if sought.show is Show.READY:
        ready = select(Request).join(Partner).where(*wanted).order_by(*ways).limit(limit)
        return [(one, None) for one in session.exec(ready)]
    runs = select(Request, Export).join(Partner).join(Export, col(Export.request_id) == Request.id)
    return [(r, e) for r, e in session.exec(runs.where(*wanted).order_by(*ways).limit(limit))]


def _behind(sought: Sought, by: Any, number: Any, latest_first: bool) -> list[Any]:
    at = moment(sought.after[0]) if sought.after else None
    if sought.after is None or at is None:
        return []
    further = col(by) < at if latest_first else col(by) > at
    beside = col(number) < sought.after[1] if latest_first else col(number) > sought.after[1]
    return [or_(further, and_(col(by) == at, beside))]


def _wanted(show: Show, sought: Sought) -> list[Any]:
    texts = [Request.title, Partner.name, Request.id]
    if show is Show.READY:
        kept = [col(Request.state) == RequestState.CLEARED]
    else:
        texts.append(Export.id)
        kept = [col(Export.state).in_(_states(show, sought))]
    if sought.partner:
        kept.append(col(Request.partner_id) == sought.partner)
    for word in sought.words.split():
        kept.append(or_(*(col(text).icontains(word, autoescape=True) for text in texts)))
    return kept


def _states(show: Show, sought: Sought) -> Sequence[ExportState]:
    if show is Show.ENDED:
        return [sought.ended] if sought.ended in ENDED else ENDED
    return [ExportState.RUNNING if show is Show.RUNNING else ExportState.AWAITING_CONFIRMATION]


def _place(request: Request, export: Export | None, show: Show) -> tuple[str, str]:
    by: datetime | None = (
        request.waiting_until
        if export is None
        else export.ended_at
        if show is Show.ENDED
        else export.triggered_at
    )
    return rfc3339(by) if by else "", export.id if export else request.id
