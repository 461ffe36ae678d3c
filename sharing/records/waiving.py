"""Asking for a waiver, and agreeing to one: what two people do who gain nothing by it."""

from sqlmodel import Session

from sharing.eligibility import Actor, demand_may_waive
from sharing.errors import NotEligible, NotFound, Refused, bad_field
from sharing.records import policies, requests, waivers
from sharing.records.accounts import accounts, all_accounts
from sharing.records.interests import DeclaredInterest, Recusal
from sharing.records.requests import Request
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.waivers import PEOPLE_NEEDED, Waiver, WaiverApproval
from sharing.stages import ENDED


def ask(
    unit: Unit, request: Request, person_id: str, interest_id: str, reason: str, by: Actor
) -> Waiver:
    """Asks that a person may act on a request in spite of one interest. Who asks agrees by that,
    if they may. Raises Refused where the interest is none that can be waived here."""
    _demand_open(request)
    _demand_waivable(unit.session, request, person_id, interest_id)
    for known in waivers.of_request(unit.session, request.id):
        if (known.person_id, known.interest_id) == (person_id, interest_id):
            raise Refused("exists", f"{known.id} asks for that already: agree to it.")
    row = Waiver(
        id=new_id("wvr"),
        request_id=request.id,
        person_id=person_id,
        interest_id=interest_id,
        reason=reason,
        asked_by=by.id,
        at=now(),
    )
    unit.session.add(row)
    unit.session.flush()
    _told(unit, row, "waiver.asked", by)
    try:
        _demand_may(unit.session, request, row, by)
    except NotEligible:
        return row  # asked for all the same: it takes two others then
    _agree(unit, row, by, reason)
    return row


def agree(unit: Unit, request: Request, waiver_id: str, reason: str, by: Actor) -> Waiver:
    """One more person agrees. The second one makes the waiver stand; raises Refused for whoever
    may not."""
    row = unit.session.get(Waiver, waiver_id)
    if row is None or row.request_id != request.id:
        raise NotFound("waiver", waiver_id)
    _demand_open(request)
    _demand_may(unit.session, request, row, by)
    _agree(unit, row, by, reason)
    return row


def granted(session: Session, waiver: Waiver) -> list[WaiverApproval]:
    """Who agreed to a waiver that stands; nobody while it does not."""
    agreed = waivers.approvals(session, waiver.id)
    return agreed if len(agreed) >= PEOPLE_NEEDED else []


def _agree(unit: Unit, row: Waiver, by: Actor, reason: str) -> None:
    waivers.agree(unit.session, row.id, by.id, reason)
    unit.audit(by.id, "waiver.agreed", row.request_id, waiver=row.id)
    if granted(unit.session, row):
        _told(unit, row, "waiver.granted", by)


def _told(unit: Unit, row: Waiver, what: str, by: Actor) -> None:
    said = {"waiver": row.id, "person": row.person_id, "interest": row.interest_id}
    unit.audit(by.id, what, row.request_id, **said)
    unit.tell(what, row.id, request_id=row.request_id, **said)


def _demand_may(session: Session, request: Request, row: Waiver, by: Actor) -> None:
    whom = accounts(session, row.person_id)
    agreed = frozenset(one.person_id for one in waivers.approvals(session, row.id))
    case = requests.case(session, request)
    demand_may_waive(by, case, whom, all_accounts(session, agreed))


def _demand_open(request: Request) -> None:
    if request.state in ENDED:
        raise Refused("wrong_state", f"The request is {request.state}: nobody decides on it now.")


def _demand_waivable(session: Session, request: Request, person_id: str, interest_id: str) -> None:
    if session.get(Recusal, (request.id, person_id, interest_id)) is None:
        raise bad_field("interest", f"is none that recuses {person_id} from this request.")
    kind = session.get_one(DeclaredInterest, interest_id).kind
    waivable = policies.of_request(session, request).interests.waivable
    if kind not in waivable:
        allowed = f"only {' or '.join(sorted(waivable))} can be" if waivable else "none can be"
        raise bad_field("interest", f"is of the kind {kind}: by the policy {allowed} waived.")
