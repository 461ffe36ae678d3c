"""What follows, in one transaction, when two accounts turn out to be one person's."""

from sqlmodel import Session, col, select

from sharing.records import accounts, decisions, delegations, late_interests, parties, requests
from sharing.records.interests import Recusal, recused_from
from sharing.records.interests import lifted as lifted_on
from sharing.records.late_interests import Followed
from sharing.records.requests import Decision, Request
from sharing.records.sponsors import meant
from sharing.records.unit import Unit


def link(unit: Unit, first: str, second: str, by: str) -> Followed | None:
    """Joins two accounts. On what is not released yet the later one of that person's two decisions
    no longer counts, and none does where the person is recused, the sponsor or a partner's by
    either account; what somebody else decided for that person is that person's too.

    None where they were one person already; raises Refused where both have other accounts."""
    joined = accounts.link(unit.session, first, second, by)
    if joined is None:
        return None
    same_as = accounts.human(unit.session, joined)
    unit.audit(by, "person.linked", person=joined, same_as=same_as)
    unit.tell("person.linked", joined, same_as=same_as)
    people, followed = accounts.accounts(unit.session, joined), Followed()
    for request_id in _decided(unit.session, people):
        request = requests.get(unit.session, request_id, hold=True)
        if not late_interests.released(unit.session, request):
            _once(unit, request, people, by, followed)
    return followed


def _once(
    unit: Unit, request: Request, people: frozenset[str], by: str, followed: Followed
) -> None:
    taken = late_interests.approvals(unit.session, request, people)
    interest = _interest(unit.session, request.id, people)
    if interest is not None:
        ended = decisions.undo(unit, request, taken, decisions.INTEREST, by, interest)
    else:
        sponsor = not people.isdisjoint(meant(unit.session, request.sponsor))
        staff = parties.employer(unit.session, min(people)) is not None
        twice = taken if sponsor or staff else taken[1:]
        ended = decisions.undo(unit, request, twice, decisions.SAME_PERSON, by)
    followed.voided += ended
    if ended:
        followed.changed.append(request.id)


def _interest(session: Session, request_id: str, people: frozenset[str]) -> str | None:
    """The interest that recuses one of these accounts from a request, if there is one."""
    if not people & recused_from(session, request_id):
        return None
    lifted = lifted_on(session, request_id)
    rows = session.exec(
        select(Recusal.person_id, Recusal.interest_id).where(
            Recusal.request_id == request_id, col(Recusal.person_id).in_(people)
        )
    )
    return next((interest for who, interest in rows if (who, interest) not in lifted), None)


def _decided(session: Session, people: frozenset[str]) -> list[str]:
    """Open requests on whose current digest one of these accounts decided, or a delegate of one."""
    deciders = people | {one.delegate_id for one in delegations.by(session, people)}
    return list(
        session.exec(
            select(Request.id)
            .join(Decision, col(Decision.request_id) == Request.id)
            .where(
                col(Request.ended_at).is_(None),
                Decision.digest == Request.digest,
                col(Decision.actor_id).in_(deciders),
            )
            .distinct()
            .order_by(Request.id)
        )
    )
