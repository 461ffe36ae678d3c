"""Whether anybody is left who may decide at a gate."""

from sqlalchemy import bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from sharing.eligibility import Act, demand
from sharing.errors import NotEligible
from sharing.quorum import Need, missing
from sharing.records import decisions, parties, requests
from sharing.records.holders import people_with
from sharing.records.requests import Request
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATE_ROLES, Role, Stage

NOBODY_LEFT = "nobody_left"


# Somebody in a role in whose way nothing at all is on record. Most gates have one, and one look
# says so; where it finds nobody, everybody is judged by the rule.
UNTOUCHED = text("""SELECT 1 FROM role_grant g JOIN person p ON p.id = g.person_id
  WHERE g.role = :role AND g.valid_from <= :now AND g.valid_until IS NULL
  AND p.partner_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM recusal x WHERE x.request_id = :request AND x.person_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.request_id = :request AND d.actor_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM person_link l WHERE l.person_id = p.id OR l.same_as = p.id)
  AND NOT EXISTS (SELECT 1 FROM delegation e WHERE e.delegate_id = p.id OR e.delegator_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM register_declaration s WHERE s.person_id = p.id
    AND s.valid_until <= :now)
  AND NOT EXISTS (SELECT 1 FROM request r WHERE r.id = :request
    AND (r.sponsor = p.id OR lower(r.sponsor) IN (p.email, lower(p.name))))
  LIMIT 1""").bindparams(bindparam("now", type_=UTCDateTime()))


def anybody(session: Session, request: Request, stage: Stage) -> bool:
    """False where a gate waits for somebody in a role in which nobody may decide."""
    asked = decisions.needs(session, request, stage)
    if asked == (Need(GATE_ROLES[stage]),) and _untouched(session, request, GATE_ROLES[stage]):
        return True
    case = requests.case(session, request)
    votes = decisions.votes(session, request, stage) if case.deciders else []
    needs = missing(asked, votes)

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


def _untouched(session: Session, request: Request, role: Role) -> bool:
    given = {"role": role, "request": request.id, "now": now()}
    return session.connection().execute(UNTOUCHED, given).first() is not None


def tell(unit: Unit, request: Request, stage: Stage) -> None:
    """The gate waits visibly, for somebody to be given its role."""
    unit.tell("gate.nobody_left", request.id, request_id=request.id, stage=stage)
