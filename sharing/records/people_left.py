"""Whether anybody is left who may decide at a gate."""

from sqlmodel import Session

from sharing.eligibility import Act, demand
from sharing.errors import NotEligible
from sharing.quorum import Need, missing
from sharing.records import decisions, parties, requests
from sharing.records.holders import people_with
from sharing.records.requests import Request
from sharing.records.unit import Unit
from sharing.stages import GATE_ROLES, Stage

NOBODY_LEFT = "nobody_left"


def anybody(session: Session, request: Request, stage: Stage) -> bool:
    """False where a gate waits for somebody in a role in which nobody may decide."""
    case = requests.case(session, request)
    needs = missing(
        decisions.needs(session, request, stage), decisions.votes(session, request, stage)
    )

    def may(need: Need, who: str) -> bool:
        person = parties.actor(session, who)
        own = need.role is GATE_ROLES[stage]
        try:
            if person is not None:
                demand(Act.DECIDE, person, case, stage, None if own else need.role)
        except NotEligible:
            return False
        return person is not None

    return all(any(may(need, who) for who in people_with(session, need.role)) for need in needs)


def tell(unit: Unit, request: Request, stage: Stage) -> None:
    """The gate waits visibly, for somebody to be given its role."""
    unit.tell("gate.nobody_left", request.id, request_id=request.id, stage=stage)
