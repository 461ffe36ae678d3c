"""What eligibility needs to know of many requests at once, in a number of statements that does not
grow with them. For one request `requests.case` says the same; a test holds the two together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from sharing.eligibility import Case
from sharing.quorum import Need, Vote, missing
from sharing.records import sponsors
from sharing.records.accounts import all_accounts
from sharing.records.decisions import GateNeed
from sharing.records.hands import acted_for, hands, role_of
from sharing.records.interests import Recusal, recused_from
from sharing.records.requests import Decision, DecisionVoid, Request
from sharing.rulebook import GateRule, gate_of
from sharing.stages import Outcome, Role, Stage

NOBODY = frozenset[str]()
Ids = SelectOfScalar[str]
DECIDED = (
    Decision.id, Decision.request_id, Decision.digest, Decision.stage, Decision.actor_id,
    Decision.role, Decision.outcome, Decision.at,
)  # fmt: skip


@dataclass(slots=True)
class Cases:
    """`of`: each request's case, by id; `standing`: its decisions that count, where it has any;
    `asked`: what the policy asks of a gate beside one approval in its own role."""

    of: dict[str, Case] = field(default_factory=dict)
    standing: dict[str, list[Any]] = field(default_factory=dict)
    asked: Mapping[tuple[str, str, str], list[Need]] = field(default_factory=dict)

    def lacking(self, request: Request, stage: Stage) -> tuple[Need, ...]:
        """Who has still to approve at the gate where a request waits."""
        pinned = tuple(self.asked.get((request.id, request.digest, stage), ()))
        needs, standing = _needs(stage, pinned), self.standing.get(request.id)
        if not standing:
            return needs
        votes = [
            Vote(one.actor_id, role_of(one), Outcome(one.outcome))
            for one in standing
            if one.stage == stage
        ]
        return missing(needs, votes)


@lru_cache(maxsize=256)
def _needs(stage: Stage, pinned: tuple[Need, ...]) -> tuple[Need, ...]:
    """Who has to approve at a gate: the same for most of the requests in an inbox."""
    return gate_of(stage, [GateRule(pinned)]).needs


def cases(session: Session, rows: Sequence[Request], ids: Ids) -> Cases:
    """The cases of requests, as they stand now. `ids` gives at least theirs: written out in each
    statement, a thousand of them cost more than the answers."""
    taken, recused, asking = (
        _taken(session, ids),
        _recused(session, ids),
        _sponsors(session, rows),
    )
    every = [one for some in taken.values() for one in some]
    behind, gone = acted_for(session, every), _gone(session, ids) if every else NOBODY
    found, plain = Cases(asked=_asked(session, ids)), dict[str, Case]()
    for row in rows:
        if not (row.id in taken or row.id in recused or row.sponsor):
            if row.partner_id not in plain:  # most are so, and all of one partner are alike
                plain[row.partner_id] = Case(row.partner_id, None, NOBODY, NOBODY)
            found.of[row.id] = plain[row.partner_id]
            continue
        mine = taken.get(row.id, [])
        standing = [one for one in mine if one.digest == row.digest and one.id not in gone]
        ever, count = hands(mine, behind), hands(standing, behind)
        by = asking.get(row.sponsor, []) if row.sponsor else []
        found.standing[row.id] = standing
        found.of[row.id] = Case(
            row.partner_id,
            sponsors.sponsor_id(by, row.sponsor),
            recused.get(row.id, NOBODY),
            all_accounts(session, count) if count else NOBODY,
            earlier_deciders=all_accounts(session, ever - count) if ever - count else NOBODY,
            sponsors=all_accounts(session, frozenset(by)),
        )
    return found


def _taken(session: Session, ids: Ids) -> Mapping[str, list[Any]]:
    """Every decision ever taken on these requests, as plain rows, by request."""
    found: dict[str, list[Any]] = defaultdict(list)
    statement = select(*DECIDED).where(col(Decision.request_id).in_(ids))  # type: ignore[call-overload]
    for one in session.execute(statement.order_by(Decision.at)):
        found[one.request_id].append(one)
    return found


def _gone(session: Session, ids: Ids) -> frozenset[str]:
    """Decisions that count no longer."""
    return frozenset(
        session.exec(
            select(DecisionVoid.decision_id)
            .join(Decision, col(Decision.id) == DecisionVoid.decision_id)
            .where(col(Decision.request_id).in_(ids))
        )
    )


def _recused(session: Session, ids: Ids) -> Mapping[str, frozenset[str]]:
    """Who is recused; asked one by one only where anybody is, for a waiver may lift it."""
    some = select(Recusal.request_id).where(col(Recusal.request_id).in_(ids)).distinct()
    return {one: recused_from(session, one) for one in session.exec(some)}


def _sponsors(session: Session, rows: Iterable[Request]) -> Mapping[str, list[str]]:
    """Ids of the people who may be meant by the sponsors that requests name."""
    named = {row.sponsor for row in rows if row.sponsor}
    return sponsors.named(session, named) if named else {}


def _asked(session: Session, ids: Ids) -> Mapping[tuple[str, str, str], list[Need]]:
    found: dict[tuple[str, str, str], list[Need]] = defaultdict(list)
    for row in session.exec(select(GateNeed).where(col(GateNeed.request_id).in_(ids))):
        key = (row.request_id, row.digest, row.stage)
        found[key].append(Need(Role(row.role), row.approvals))
    return found
