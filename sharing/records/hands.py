"""Whose hands decisions were taken by: who took them, in which role, and for whom."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlmodel import Session

from sharing.records.delegations import delegators
from sharing.stages import GATE_ROLES, Role, Stage

if TYPE_CHECKING:
    from sharing.records.requests import Decision


def acted_for(session: Session, taken: "Iterable[Decision]") -> dict[str, str]:
    """For whom decisions were taken by somebody else, by decision."""
    acts = {one.id: (one.actor_id, role_of(one), one.at) for one in taken}
    found = delegators(session, acts.values())
    return {key: found[act] for key, act in acts.items() if act in found}


def role_of(decision: "Decision") -> Role:
    """The role in which somebody decided; the gate's own where none was recorded."""
    return Role(decision.role) if decision.role else GATE_ROLES[Stage(decision.stage)]


def hands(taken: "Sequence[Decision]", behind: Mapping[str, str]) -> frozenset[str]:
    """Everybody who has acted by these decisions: who took them, and for whom."""
    mine = [one for one in taken if one.id in behind]
    return frozenset({*(d.actor_id for d in taken), *(behind[d.id] for d in mine)})
