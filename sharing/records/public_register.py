"""The public register: requests and what became of them, as `sharing.public_register` allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from sharing.errors import NotFound
from sharing.public_register import TOLD, Outcome, Volume, outcome_of, states_of, volume
from sharing.records import consents
from sharing.records.datasets import Dataset
from sharing.records.exports import Release
from sharing.records.parties import Partner
from sharing.records.recalls import RecallItem
from sharing.records.requests import Gate, Request, RequestRevision
from sharing.stages import GATES

View = dict[str, Any]
_TOLD_STATES = frozenset().union(*(states_of(outcome) for outcome in TOLD))


@dataclass(frozen=True, slots=True)
class Sought:
    """A part of the register. `partner`: an id or a part of a name. Who asked, and for what, finds
    nothing that the public may not know yet. `after`: where the page before this one ended."""

    partner: str = ""
    purpose: str = ""
    outcome: Outcome | None = None
    year: int | None = None
    after: tuple[datetime, str] | None = None


def page(session: Session, sought: Sought, limit: int) -> list[View]:
    """At most so many entries, the request submitted last first."""
    statement = _rows().where(*_fits(sought))
    order = col(Request.submitted_at).desc(), col(Request.id).desc()
    return _views(session, session.execute(statement.order_by(*order).limit(limit)).all())


def entry(session: Session, request_id: str) -> View:
    """One entry; raises NotFound."""
    rows = session.execute(_rows().where(col(Request.id) == request_id)).all()
    if not rows:
        raise NotFound("request", request_id)
    return _views(session, rows)[0]


def news(session: Session, limit: int) -> list[View]:
    """The entries that were decided last, the latest first."""
    told = _rows().where(col(Request.state).in_(_TOLD_STATES))
    latest = told.order_by(col(Request.ended_at).desc(), col(Request.id).desc()).limit(limit)
    return _views(session, session.execute(latest).all())


def place(session: Session, view: View) -> tuple[datetime, str]:
    """Where the list goes on behind an entry."""
    return session.get_one(Request, view["id"]).submitted_at, view["id"]


def purposes(session: Session) -> list[str]:
    """The purposes of all entries of which the public may know it."""
    term = col(RequestRevision.body)["purpose"].as_string()
    found = columns(term).join(Request, _current()).where(col(Request.state).in_(_TOLD_STATES))
    return sorted(session.execute(found.distinct()).scalars())


def years(session: Session) -> list[int]:
    """The years from the first request's to the last one's, the latest first."""
    ends = columns(func.min(Request.submitted_at), func.max(Request.submitted_at))
    first, last = session.execute(ends).one()
    return list(range(last.year, first.year - 1, -1)) if first else []


def _current() -> Any:
    return and_(
        col(RequestRevision.request_id) == Request.id,
        col(RequestRevision.number) == Request.revision,
    )


def _rows() -> Any:
    joined = columns(Request, Partner, RequestRevision)
    return joined.join(Partner, col(Partner.id) == Request.partner_id).join(
        RequestRevision, _current()
    )


def _fits(sought: Sought) -> list[Any]:
    found: list[Any] = []
    if sought.partner or sought.purpose:
        found.append(col(Request.state).in_(_TOLD_STATES))
    if sought.partner:
        part = func.lower(Partner.name).contains(sought.partner.lower(), autoescape=True)
        found.append(or_(col(Partner.id) == sought.partner, part))
    if sought.purpose:
        found.append(col(RequestRevision.body)["purpose"].as_string() == sought.purpose)
    if sought.outcome:
        found.append(col(Request.state).in_(states_of(sought.outcome)))
    if sought.year:
        first, last = (datetime(sought.year + n, 1, 1, tzinfo=UTC) for n in (0, 1))
        found += [col(Request.submitted_at) >= first, col(Request.submitted_at) < last]
    if sought.after:
        at, key = sought.after
        same = and_(col(Request.submitted_at) == at, col(Request.id) < key)
        found.append(or_(col(Request.submitted_at) < at, same))
    return found


def _views(session: Session, rows: Sequence[Any]) -> list[View]:
    told = [row for row in rows if outcome_of(row[0].state) in TOLD]
    digests = [row[0].digest for row in told]
    gates = session.exec(select(Gate).where(col(Gate.digest).in_(digests))).all()
    releases = session.exec(select(Release).where(col(Release.digest).in_(digests))).all()
    by_digest = {one.digest: one for one in releases}
    open_items = _recalled(session, [row[0].id for row in told])
    return [
        _view(session, request, partner, revision,
              [gate for gate in gates if gate.digest == request.digest],
              by_digest.get(request.digest), open_items)
        for request, partner, revision in rows
    ]  # fmt: skip


def _recalled(session: Session, requests: Sequence[str]) -> Mapping[str, int]:
    """How many people are still owed the erasure of what went out, by request."""
    counted = columns(RecallItem.request_id, func.count()).where(  # type: ignore[call-overload]
        col(RecallItem.request_id).in_(requests), RecallItem.state == "open"
    )
    return {row[0]: row[1] for row in session.execute(counted.group_by(RecallItem.request_id))}


def _view(
    session: Session,
    request: Request,
    partner: Partner,
    revision: RequestRevision,
    gates: Sequence[Gate],
    release: Release | None,
    recalled: Mapping[str, int],
) -> View:
    outcome = outcome_of(request.state)
    view: View = {
        "id": request.id,
        "outcome": outcome,
        "submitted_on": request.submitted_at.date(),
        "ended_on": request.ended_at.date() if request.ended_at else None,
    }
    if outcome not in TOLD:
        return view
    body, items = revision.body, recalled.get(request.id, 0)
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.questions(session, body, dataset, partner.id)
    return view | {
        "recipient": partner.name,
        "recipient_class": partner.recipient_class,
        "purpose": body["purpose"],
        "legal_basis": body["legal_basis"],
        "special_category_basis": body.get("special_category_basis"),
        "categories": [question.category for question in asked],
        "asked_at_most": body["scope"]["limit"],
        "trains_models": body["trains_models"],
        "onward_recipients": body["onward_recipients"],
        "retention_days": body["retention_days"],
        "in_the_partners_words": {"title": body["title"], "intended_use": body["intended_use"]},
        "gates": _gates(gates),
        "delivered": _delivered(release, request, body) if release else None,
        "to_come_back": _shown(volume(items)) if items else None,
    }


def _gates(gates: Sequence[Gate]) -> list[View]:
    """What each gate came to, and on which day; never by whom, or why."""
    known = {gate.stage: gate for gate in gates}
    return [
        {"stage": stage, "outcome": gate.outcome if gate else None,
         "on": gate.closed_at.date() if gate and gate.closed_at else None}
        for stage in GATES
        for gate in [known.get(stage)]
    ]  # fmt: skip


def _delivered(release: Release, request: Request, body: Mapping[str, Any]) -> View:
    since = request.ended_at or release.released_at
    return {
        "on": release.released_at.date(),
        "objects": _shown(volume(release.objects)),
        "keep_until": (since + timedelta(days=body["retention_days"])).date(),
    }


def _shown(one: Volume) -> View:
    return {"about": one.about, "below": one.below}
