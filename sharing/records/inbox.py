"""A reviewer's inbox: every request at a gate of one's role, in the order in which it is due, told
apart by whether one may decide, who has it in hand, and what one has decided already."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlmodel import Session, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from sharing.eligibility import Act, Actor, Case, demand
from sharing.errors import NotEligible
from sharing.records.accounts import accounts
from sharing.records.cases import Cases, cases
from sharing.records.claims import Claim
from sharing.records.decisions import GateNeed
from sharing.records.inbox_rows import decided_rows, shown
from sharing.records.parties import Partner
from sharing.records.requests import Decision, Request
from sharing.records.tables import now
from sharing.stages import GATE_ROLES, Role, Stage

View = dict[str, Any]
STAGES = {role: stage for stage, role in GATE_ROLES.items()}


class Show(StrEnum):
    """The four views: I may decide; I may, and nobody has it in hand; at my gate, but for others;
    decided by me."""

    WAITING = "waiting"
    UNCLAIMED = "unclaimed"
    OTHERS = "others"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a view, words in title, partner or id, a partner, and within how many
    days it is due. `after` is where the page before ended."""

    show: Show = Show.WAITING
    words: str = ""
    partner: str = ""
    days: int | None = None
    after: tuple[str, str] | None = None

    def behind(self, after: tuple[str, str] | None) -> "Sought":
        """The same, from there on."""
        return replace(self, after=after)


@dataclass(slots=True)
class Inbox:
    """One page of it; `counts` of the four views under the same filters; `next` if there is more;
    `partners` that may be filtered by."""

    items: list[View] = field(default_factory=list)
    counts: dict[Show, int] = field(default_factory=dict)
    next: tuple[str, str] | None = None
    partners: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request at my gate, why I may not decide there (empty if I may), and who has it in hand."""

    request: Request
    why: str
    claim: Claim | None
    needs: Sequence[Any]

    def views(self, person: str) -> frozenset[Show]:
        others = self.claim is not None and self.claim.person_id != person
        if self.why:
            return frozenset({Show.OTHERS})
        free = {Show.UNCLAIMED} if self.claim is None else {Show.OTHERS} if others else set()
        return frozenset({Show.WAITING, *free})


def inbox(session: Session, person: Actor, role: Role, sought: Sought, limit: int) -> Inbox:
    """At most `limit` requests of one view, the first due first, and how many there are of each."""
    names = dict(session.exec(select(Partner.id, Partner.name)).all())
    rows = [one for one in _at_my_gate(session, role) if _fits(one, names, sought)]
    known, claims = cases(session, rows, _waiting()), _claims(session, rows)
    seen = [_seen(person, role, row, known, claims.get(row.id)) for row in rows]
    mine = accounts(session, person.id)
    found = Inbox(partners=names, counts=_counts(session, seen, person.id, mine, sought))
    if sought.show is Show.DECIDED:
        found.items, found.next = decided_rows(session, mine, sought.after, limit, names)
        return found
    chosen = [one for one in seen if sought.show in one.views(person.id)]
    chosen.sort(key=lambda one: _place(one.request))
    behind = [one for one in chosen if not sought.after or _place(one.request) > sought.after]
    page = behind[:limit]
    found.items = shown(session, [(s.request, s.why, s.claim, s.needs) for s in page], names)
    found.next = _place(page[-1].request) if len(behind) > limit else None
    return found


def _at_my_gate(session: Session, role: Role) -> Sequence[Request]:
    """Requests at the gate of this role, or at one where a policy asks for it too."""
    asks = select(GateNeed.request_id).where(
        GateNeed.request_id == Request.id,
        GateNeed.digest == Request.digest,
        GateNeed.stage == Request.waiting_stage,
        GateNeed.role == role,
    )
    own = STAGES.get(role)
    at = asks.exists() if own is None else or_(col(Request.waiting_stage) == own, asks.exists())
    columns = Request.__table__.c  # type: ignore[attr-defined]
    wanted = select(*columns).where(col(Request.waiting_stage).is_not(None), at)
    # Plain rows: a thousand objects of the session's cost more than all else on the page.
    return cast(Sequence[Request], session.execute(wanted).all())


def _waiting() -> SelectOfScalar[str]:
    """The ids of all requests that wait at any gate."""
    return select(Request.id).where(col(Request.waiting_stage).is_not(None))


def _fits(request: Request, names: dict[str, str], sought: Sought) -> bool:
    if sought.partner and request.partner_id != sought.partner:
        return False
    until = request.waiting_until
    if sought.days is not None and (until is None or until > now() + timedelta(days=sought.days)):
        return False
    text = f"{request.title} {names.get(request.partner_id, '')} {request.id}".casefold()
    return all(word in text for word in sought.words.casefold().split())


def _seen(person: Actor, role: Role, request: Request, known: Cases, claim: Claim | None) -> _Seen:
    stage, case = Stage(request.waiting_stage or ""), known.of[request.id]
    needs = known.lacking(request, stage)
    why = _why(person, case, stage, None if role is GATE_ROLES[stage] else role)
    if not why and all(need.role is not role for need in needs):
        why = "enough"
    return _Seen(request, why, claim, needs)


def _why(person: Actor, case: Case, stage: Stage, beside: Role | None) -> str:
    try:
        demand(Act.DECIDE, person, case, stage, beside)
    except NotEligible as refused:
        return refused.why
    return ""


def _claims(session: Session, rows: Sequence[Request]) -> dict[str, Claim]:
    """Who has the gate in hand at which each request waits now."""
    at = {row.id: (row.digest, row.waiting_stage) for row in rows}
    open_now = or_(col(Claim.until).is_(None), col(Claim.until) > now())
    found = session.exec(
        select(Claim)
        .where(col(Claim.request_id).in_(_waiting()), col(Claim.ended_at).is_(None), open_now)
        .order_by(col(Claim.at))
    )
    return {
        one.request_id: one for one in found if at.get(one.request_id) == (one.digest, one.stage)
    }


def _counts(
    session: Session, seen: Sequence[_Seen], person: str, mine: frozenset[str], sought: Sought
) -> dict[Show, int]:
    counted = Counter(view for one in seen for view in one.views(person))
    decided = select(func.count()).select_from(Decision).where(col(Decision.actor_id).in_(mine))
    return {**{one: counted[one] for one in Show}, Show.DECIDED: session.exec(decided).one()}


def _place(request: Request) -> tuple[str, str]:
    """Where a request stands in the order of what is due."""
    until: datetime | None = request.waiting_until
    return until.isoformat() if until else "9999", request.id
