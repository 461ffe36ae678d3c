"""Who has a waiting gate in hand, and who was told that it waits."""

from typing import Any

from sqlmodel import Session

from sharing.records import claims, requests
from sharing.records.requests import Request
from sharing.stages import Stage

View = dict[str, Any]


def in_hand(session: Session, request: Request, stage: str) -> View:
    """Who claimed a gate, until when, and by whom it was assigned; nulls where nobody has it."""
    held = claims.current(session, request, stage)
    return {
        "claimed_by": held.person_id if held else None,
        "claimed_until": held.until if held else None,
        "assigned_by": held.assigned_by if held else None,
    }


def attendance(session: Session, request: Request, stage: Stage) -> View:
    """What people inside see of a gate that waits, beside who may decide there."""
    gate = requests.gate(session, request, stage)
    if gate is None:
        return {}
    return {
        "reminds_at": gate.reminds_at,
        "reminded_at": gate.reminded_at,
        "escalates_at": gate.escalates_at,
        "escalated_at": gate.escalated_at,
        "escalated_to": gate.escalated_to,
        **in_hand(session, request, stage),
    }
