"""How many people a gate needs, in which roles, and what their votes come to. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sharing.stages import Outcome, Role


@dataclass(frozen=True, slots=True)
class Need:
    """So many distinct people who approve in this role."""

    role: Role
    approvals: int = 1


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision that counts, in the role in which it was taken."""

    person: str
    role: Role
    outcome: Outcome


def outcome(needs: Sequence[Need], votes: Iterable[Vote]) -> Outcome | None:
    """What a gate comes to; None while it needs more. One refusal refuses, one return returns, and
    counting the same votes again changes nothing (F19)."""
    taken = list(votes)
    for ending in (Outcome.REFUSED, Outcome.RETURNED):
        if any(vote.outcome is ending for vote in taken):
            return ending
    return None if missing(needs, taken) else Outcome.APPROVED


def missing(needs: Iterable[Need], votes: Iterable[Vote]) -> tuple[Need, ...]:
    """What a gate still needs, role by role. A person counts once."""
    approved = {v.person: v.role for v in votes if v.outcome is Outcome.APPROVED}
    have = list(approved.values())
    return tuple(
        Need(need.role, need.approvals - have.count(need.role))
        for need in needs
        if have.count(need.role) < need.approvals
    )
