"""A reviewer's inbox: every request at a gate of one's role, in the order in which it is due, told
apart by whether one may decide, who has it in hand, and what one has decided already."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from sqlmodel import Session, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from sharing.eligibility import Act, Actor, Case, demand
from sharing.errors import NotEligible
from sharing.quorum import Need
from sharing.records.accounts import accounts
from sharing.records.cases import cases
from sharing.records.claims import Claim
from sharing.records.decisions import GateNeed
from sharing.records.inbox_rows import decided_rows, shown
from sharing.records.parties import Partner
from sharing.records.requests import Decision, Request
from sharing.records.tables import now
from sharing.stages import GATE_ROLES, Role, Stage

View = dict[str, Any]
STAGES = {role: stage for stage, role in GATE_ROLES.items()}
# What is looked at of every request at a gate: most are counted, and only one page is shown.
LOOKED_AT = (
    Request.id, Request.partner_id, Request.title, Request.digest, Request.sponsor,
    Request.waiting_stage, Request.waiting_until,
)  # fmt: skip


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


# In which views a request stands: by whether one may decide there, and who has it in hand.
FREE = (Show.WAITING, Show.UNCLAIMED)
MINE = (Show.WAITING,)
HELD = (Show.WAITING, Show.OTHERS)
NOT_FOR_ME = (Show.OTHERS,)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request at my gate, why I may not decide there (empty if I may), who has it in hand, and
    in which views it is."""

    request: Request  # of which only LOOKED_AT is there
    why: str
    claim: Claim | None
    needs: Sequence[Need]
    views: tuple[Show, ...]


def inbox(session: Session, person: Actor, role: Role, sought: Sought, limit: int) -> Inbox:
    """At most `limit` requests of one view, the first due first, and how many there are of each."""
    names = dict(session.exec(select(Partner.id, Partner.name)).all())
    rows = [one for one in _at_my_gate(session, role, sought) if _fits(one, names, sought)]
    seen = _seen(session, person, role, rows)
    mine = accounts(session, person.id)
    found = Inbox(partners=names, counts=_counts(session, seen, mine))
    if sought.show is Show.DECIDED:
        found.items, found.next = decided_rows(session, mine, sought.after, limit, names)
        return found
    behind = _behind([one for one in seen if sought.show in one.views], sought.after)
    page = behind[:limit]
    found.items = shown(session, [(s.request.id, s.why, s.claim, s.needs) for s in page], names)
    found.next = _place(page[-1].request) if len(behind) > limit else None
    return found


def _seen(session: Session, person: Actor, role: Role, rows: Sequence[Request]) -> list[_Seen]:
    """Each request as this person stands to it. Most cases are alike, and judged once."""
    known, claims = cases(session, rows, _waiting()), _claims(session, rows)
    judged: dict[tuple[Case, str, tuple[Need, ...]], str] = {}
    seen = []
    for row in rows:
        stage, case, claim = Stage(row.waiting_stage or ""), known.of[row.id], claims.get(row.id)
        needs = known.lacking(row, stage)
        why = judged.get((case, stage, needs))
        if why is None:
            why = judged[case, stage, needs] = _why(person, role, case, stage, needs)
        seen.append(_Seen(row, why, claim, needs, _views(why, claim, person.id)))
    return seen


def _why(person: Actor, role: Role, case: Case, stage: Stage, needs: Sequence[Need]) -> str:
    """Why this person may not decide there now; empty if they may."""
    try:
        demand(Act.DECIDE, person, case, stage, None if role is GATE_ROLES[stage] else role)
    except NotEligible as refused:
        return refused.why
    return "" if any(need.role is role for need in needs) else "enough"


def _views(why: str, claim: Claim | None, person_id: str) -> tuple[Show, ...]:
    if why:
        return NOT_FOR_ME
    return FREE if claim is None else MINE if claim.person_id == person_id else HELD


def _at_my_gate(session: Session, role: Role, sought: Sought) -> Sequence[Request]:
    """Requests at the gate of this role, or at one where a policy asks for it too, the first due
    first."""
    asks = select(GateNeed.request_id).where(
        GateNeed.request_id == Request.id,
        GateNeed.digest == Request.digest,
        GateNeed.stage == Request.waiting_stage,
        GateNeed.role == role,
    )
    own, until = STAGES.get(role), col(Request.waiting_until)
    at = asks.exists() if own is None else or_(col(Request.waiting_stage) == own, asks.exists())
    wanted = select(*LOOKED_AT).where(col(Request.waiting_stage).is_not(None), at)  # type: ignore[call-overload]
    if sought.partner:
        wanted = wanted.where(Request.partner_id == sought.partner)
    if sought.days is not None:
        wanted = wanted.where(until <= now() + timedelta(days=sought.days))
    # Plain rows: a thousand objects of the session's cost more than all else on the page.
    found = session.execute(wanted.order_by(until.is_(None), until, Request.id)).all()
    return cast(Sequence[Request], found)


def _waiting() -> SelectOfScalar[str]:
    """The ids of all requests that wait at any gate."""
    return select(Request.id).where(col(Request.waiting_stage).is_not(None))


def _fits(request: Request, names: dict[str, str], sought: Sought) -> bool:
    if not sought.words:
        return True
    text = f"{request.title} {names.get(request.partner_id, '')} {request.id}".casefold()
    return all(word in text for word in sought.words.casefold().split())


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


def _counts(session: Session, seen: Sequence[_Seen], mine: frozenset[str]) -> dict[Show, int]:
    counted = Counter(view for one in seen for view in one.views)
    decided = select(func.count()).select_from(Decision).where(col(Decision.actor_id).in_(mine))
    return {**{one: counted[one] for one in Show}, Show.DECIDED: session.exec(decided).one()}


def _behind(seen: list[_Seen], after: tuple[str, str] | None) -> list[_Seen]:
    return [one for one in seen if _place(one.request) > after] if after else seen


def _place(request: Request) -> tuple[str, str]:
    """Where a request stands in the order of what is due."""
    return request.waiting_until.isoformat() if request.waiting_until else "9999", request.id
