"""What people inside see of interests on a request: found late, waived, signed off, voided by."""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from sharing.records import late_interests, waivers, waiving
from sharing.records.accounts import accounts
from sharing.records.interests import DeclaredInterest
from sharing.records.requests import DecisionVoid
from sharing.records.sign_offs import SignOff
from sharing.records.waivers import Waiver

View = dict[str, Any]
Named = Callable[[str], str]


def late_view(session: Session, request_id: str, name: Named) -> list[View]:
    """Interests found after the release, and what a conflict officer said of each."""
    looks = late_interests.looks(session, request_id)
    return [
        {
            "person": one.person_id,
            "person_name": name(one.person_id),
            "interest": one.interest_id,
            "kind": session.get_one(DeclaredInterest, one.interest_id).kind,
            "relation": one.relation,
            "found_at": one.at,
            "acted_at": late_interests.acted_at(session, request_id, one.person_id),
            "looked_at": _look(looks.get((one.person_id, one.interest_id)), name),
        }
        for one in late_interests.late(session, request_id)
    ]


def _look(row: late_interests.InterestLook | None, name: Named) -> View | None:
    if row is None:
        return None
    return {"by": row.seen_by, "by_name": name(row.seen_by), "note": row.note, "at": row.at}


def waivers_view(session: Session, request_id: str, name: Named) -> list[View]:
    """Every waiver asked for on a request, and who agreed to it."""
    return [waiver_view(session, one, name) for one in waivers.of_request(session, request_id)]


def waiver_view(session: Session, waiver: Waiver, name: Named) -> View:
    """One waiver: whose, of what, who asked, who agreed and why."""
    return {
        "id": waiver.id,
        "person": waiver.person_id,
        "person_name": name(waiver.person_id),
        "interest": waiver.interest_id,
        "kind": session.get_one(DeclaredInterest, waiver.interest_id).kind,
        "reason": waiver.reason,
        "asked_by": waiver.asked_by,
        "asked_by_name": name(waiver.asked_by),
        "at": waiver.at,
        "granted": bool(waiving.granted(session, waiver)),
        "approvals": [
            {
                "person": one.person_id,
                "person_name": name(one.person_id),
                "reason": one.reason,
                "at": one.at,
            }
            for one in waivers.approvals(session, waiver.id)
        ],
    }


def waiver_of(session: Session, request_id: str, person_id: str, name: Named) -> View | None:
    """The waiver by which a person could decide in spite of an interest; None where none had to
    be passed over. Where several had to be, the request's `waivers` has them all."""
    people = accounts(session, person_id)
    for one in waivers.of_request(session, request_id):
        if one.person_id in people and waiving.granted(session, one):
            return waiver_view(session, one, name)
    return None


def void_view(row: DecisionVoid | None, name: Named) -> View | None:
    """Why a decision no longer counts, though its digest is the current one."""
    if row is None:
        return None
    return {
        "reason": row.reason,
        "by": row.voided_by,
        "by_name": name(row.voided_by),
        "interest": row.interest_id,
        "note": row.note,
        "at": row.at,
    }


def sign_off_view(session: Session, decision_id: str) -> View | None:
    """What a conflict officer signed beside a decision."""
    row = session.get(SignOff, decision_id)
    if row is None:
        return None
    return {"screening_read": True, "recused": row.recused, "replaced_by": row.replaced_by}
