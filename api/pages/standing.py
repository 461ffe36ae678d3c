"""How the reader stands to a request: may they decide, and if not, why and who may; what each
outcome would bring about; what they can still take back."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, func, select

from api.pages.doors import Visit
from sharing.errors import NotEligible, NotFound, Refused
from sharing.records import decisions, policies, standing
from sharing.records.accounts import accounts
from sharing.records.agreement_views import agreement_view
from sharing.records.events import INSIDE_ONLY, Event
from sharing.records.requests import Request, counted
from sharing.stages import DECISIONS, GATES, Outcome, Stage


@dataclass(frozen=True, slots=True)
class Standing:
    """`open`: outcomes that may be chosen now. `why`: what stands in the way, as a sentence, with
    its `code`. `follows`: what each outcome would bring about. `retractable`: an own decision."""

    stage: str | None
    open: tuple[str, ...] = ()
    code: str = ""
    why: str = ""
    follows: dict[str, str] = field(default_factory=dict)
    retractable: str | None = None


def standing_of(session: Session, request: Request, visit: Visit) -> Standing:
    """What the one eligibility function says of the reader, here and now."""
    person = visit.call.actor(session)
    stage = Stage(request.waiting_stage) if request.waiting_stage in GATES else None
    back = _retractable(session, request, person.id)
    if stage is None:
        return Standing(None, retractable=back)
    free, code, why = [], "", ""
    for outcome in DECISIONS:
        try:
            standing.demand_decidable(
                session, request, person, stage, request.digest, visit.role, outcome
            )
            free.append(str(outcome))
        except Refused as refused:
            code = refused.why if isinstance(refused, NotEligible) else refused.code
            why = refused.detail
    return Standing(stage, tuple(free), code, why, _follows(session, request, stage), back)


def _retractable(session: Session, request: Request, person_id: str) -> str | None:
    mine = accounts(session, person_id)
    for taken in counted(session, request):
        if taken.actor_id in mine:
            try:
                decisions.demand_retractable(session, request, taken)
            except Refused:
                continue
            return taken.id
    return None


def _follows(session: Session, request: Request, stage: Stage) -> dict[str, str]:
    """What each outcome would bring about, in words."""
    still = sum(need.approvals for need in decisions.lacking(session, request, stage)) - 1
    return {
        Outcome.APPROVED: _approved(session, request, stage, still),
        Outcome.RETURNED: "The partner reads your reason and may change what it asks. A "
        "change makes a new revision, and every approval so far is void.",
        Outcome.REFUSED: "The request ends, for good. The partner reads your reason.",
    }


def _agreed(session: Session, request: Request) -> bool:
    try:
        return bool(agreement_view(session, request, inside=True)["accepted"])
    except NotFound:
        return True


def _approved(session: Session, request: Request, stage: Stage, still: int) -> str:
    if still > 0:
        return f"{still} more approval{'s are' if still > 1 else ' is'} needed at this gate."
    after = GATES[GATES.index(stage) + 1 :]
    if not after and not _agreed(session, request):
        return (
            "All four gates are passed. The request is cleared once the partner has accepted this "
            "version of the agreement. You can take your approval back until an export is started."
        )
    if not after:
        return (
            "All four gates are passed: the request is cleared, and an engineer may start the "
            "export. You can take it back until then."
        )
    roles = [need.role for need in policies.needs(session, request, after[0])]
    who = " and ".join(str(role).replace("_", " ") for role in roles)
    return (
        f"The next gate opens, for the {who}. You can take your approval back until somebody "
        "decides there."
    )


def agreement_of(session: Session, request: Request, *, inside: bool) -> dict[str, Any] | None:
    """The agreement as it stands; None where there is none yet."""
    try:
        return agreement_view(session, request, inside=inside)
    except NotFound:
        return None


def position(session: Session, request: Request, *, inside: bool) -> int:
    """Up to where a page knows what happened."""
    latest = select(func.max(col(Event.position))).where(Event.request_id == request.id)
    if not inside:
        latest = latest.where(col(Event.type).not_in(INSIDE_ONLY))
    return session.exec(latest).one() or 0
