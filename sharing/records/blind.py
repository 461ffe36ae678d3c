"""Blind gates: what others said there stays hidden until everybody who is needed has decided."""

from typing import Any

from sqlmodel import Session

from sharing.records import decisions, parties, policies
from sharing.records.accounts import accounts
from sharing.records.requests import Gate, Request, decisions_of
from sharing.stages import Role, Stage

COVER: dict[str, Any] = {"outcome": None, "reason": None, "conditions": [], "hidden": True}


def hidden(session: Session, request: Request, gate: Gate, person: str) -> frozenset[str]:
    """Ids of the decisions at a gate whose words this person does not see yet; nobody is named by
    an empty `person`. One's own are not hidden, and from auditors nothing is, unless they may
    decide there themselves."""
    if gate.outcome is not None or gate.digest != request.digest:
        return frozenset()
    stage = Stage(gate.stage)
    if not policies.gate(session, request, stage).blind:
        return frozenset()
    own = accounts(session, person) if person else frozenset[str]()
    roles = frozenset[Role]().union(*(parties.roles_of(session, one) for one in own))
    deciding = {need.role for need in decisions.needs(session, request, stage)}
    if Role.AUDITOR in roles and not roles & deciding:
        return frozenset()
    taken = [one for one in decisions_of(session, request.id) if one.stage == stage]
    return frozenset(
        one.id for one in taken if one.digest == request.digest and one.actor_id not in own
    )
