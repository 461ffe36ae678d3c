"""What a row of an inbox says of a request: for the few of one page, in a few statements."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlmodel import Session, and_, col, or_, select

from sharing.records.claims import Claim
from sharing.records.parties import Person
from sharing.records.requests import Decision, DecisionVoid, Gate, Request, RequestRevision
from sharing.records.tables import rfc3339
from sharing.request import moment
from sharing.stages import GATES

View = dict[str, Any]
Row = tuple[str, str, Claim | None, Sequence[Any]]
OF_A_GATE = (Gate.request_id, Gate.stage, Gate.findings, Gate.outcome, Gate.escalated_at)


def shown(session: Session, rows: Sequence[Row], partners: Mapping[str, str]) -> list[View]:
    """Rows of requests that wait at a gate, by their ids."""
    requests = _requests(session, [row[0] for row in rows])
    bodies, gates = bodies_of(session, requests.values()), _gates(session, requests.values())
    people = _names(session, [claim.person_id for _, _, claim, _ in rows if claim])
    return [
        {
            **_request(requests[one], bodies[one], gates[one], partners),
            "act": "decide",
            "may_decide": not why,
            "why": why or None,
            "needs": [{"role": need.role, "missing": need.approvals} for need in needs],
            "claimed_by": claim.person_id if claim else None,
            "claimed_by_name": people.get(claim.person_id) if claim else None,
            "claimed_until": claim.until if claim else None,
            "assigned_by": claim.assigned_by if claim else None,
        }
        for one, why, claim, needs in rows
    ]


def decided_rows(
    session: Session,
    mine: Iterable[str],
    after: tuple[str, str] | None,
    limit: int,
    partners: Mapping[str, str],
) -> tuple[list[View], tuple[str, str] | None]:
    """A person's own decisions, the latest first, and where the next page begins."""
    statement = select(Decision, Request).join(Request, col(Request.id) == Decision.request_id)
    statement = statement.where(col(Decision.actor_id).in_(list(mine)))
    at = moment(after[0]) if after else None
    if after and at:
        statement = statement.where(
            or_(col(Decision.at) < at, (col(Decision.at) == at) & (col(Decision.id) < after[1]))
        )
    order = (col(Decision.at).desc(), col(Decision.id).desc())
    found = session.exec(statement.order_by(*order).limit(limit + 1)).all()
    page, more = found[:limit], len(found) > limit
    requests = [request for _, request in page]
    bodies, gates = bodies_of(session, requests), _gates(session, requests)
    gone = _voids(session, [taken.id for taken, _ in page])
    items = [
        {
            **_request(request, bodies[request.id], gates[request.id], partners),
            "stage": taken.stage,
            "decided": taken.outcome,
            "decided_at": taken.at,
            "void": taken.id in gone or taken.digest != request.digest,
        }
        for taken, request in page
    ]
    return items, (rfc3339(page[-1][0].at), page[-1][0].id) if more else None


def _request(
    request: Request, body: View, gates: Mapping[str, View], partners: Mapping[str, str]
) -> View:
    found = gates.get(request.waiting_stage or "", {}).get("findings", [])
    counted = Counter(one["result"] for one in found)
    return {
        "request": request.id,
        "title": request.title,
        "partner": request.partner_id,
        "partner_name": partners.get(request.partner_id, request.partner_id),
        "state": request.state,
        "stage": request.waiting_stage,
        "digest": request.digest,
        "revision": request.revision,
        "submitted_at": request.submitted_at,
        "until": request.waiting_until,
        "purpose": body["purpose"],
        "dataset": body["dataset"],
        "objects": body["scope"]["limit"],
        "findings": {name: counted[name] for name in ("compliant", "gap", "violation")},
        "escalated_at": gates.get(request.waiting_stage or "", {}).get("escalated_at"),
        "gates": {stage: gates.get(stage, {}).get("outcome") for stage in GATES},
    }


def _requests(session: Session, ids: Sequence[str]) -> dict[str, Request]:
    columns = Request.__table__.c  # type: ignore[attr-defined]
    found = session.execute(select(*columns).where(col(Request.id).in_(ids)))
    return {one.id: cast(Request, one) for one in found}


def bodies_of(session: Session, rows: Iterable[Request]) -> dict[str, View]:
    """What each request asks for in its current revision."""
    current = and_(
        col(RequestRevision.request_id) == Request.id,
        col(RequestRevision.number) == Request.revision,
    )
    found = select(RequestRevision.request_id, RequestRevision.body).join(Request, current)
    rows_of = found.where(col(Request.id).in_([row.id for row in rows]))
    return {one: dict(body) for one, body in session.exec(rows_of)}


def _gates(session: Session, rows: Iterable[Request]) -> Mapping[str, Mapping[str, View]]:
    """What was found, and what came of it, at each gate of the current digest."""
    found: dict[str, dict[str, View]] = defaultdict(dict)
    digests = [row.digest for row in rows]
    for gate in session.execute(select(*OF_A_GATE).where(col(Gate.digest).in_(digests))):  # type: ignore[call-overload]
        found[gate.request_id][gate.stage] = {
            "findings": gate.findings,
            "outcome": gate.outcome,
            "escalated_at": gate.escalated_at,
        }
    return found


def _names(session: Session, ids: Sequence[str]) -> dict[str, str]:
    return dict(session.exec(select(Person.id, Person.name).where(col(Person.id).in_(ids))).all())


def _voids(session: Session, ids: Sequence[str]) -> frozenset[str]:
    void = select(DecisionVoid.decision_id).where(col(DecisionVoid.decision_id).in_(ids))
    return frozenset(session.exec(void))
