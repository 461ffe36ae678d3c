"""How many agreed to what a request asks, as its partner may know it before the release."""

from dataclasses import dataclass

from sqlmodel import Session, select

from sharing.outlook import Band
from sharing.records import reports
from sharing.records.requests import Request, RequestRevision
from sharing.untold import Nudge, scope_key, share


@dataclass(frozen=True, slots=True)
class Agreed:
    """`objects` in scope, and the part of its people that consent covers; None is not known, or not
    to be told."""

    objects: int | None = None
    people: Band | None = None


def agreed(session: Session, request: Request, digest: str, nudge: Nudge | None) -> Agreed:
    """By the count at gate 2 of one revision. Without a nudge no part is told."""
    counted = reports.at_gate(session, request.id, digest)
    asked = session.exec(
        select(RequestRevision).where(
            RequestRevision.request_id == request.id, RequestRevision.digest == digest
        )
    ).first()
    if counted is None or asked is None:
        return Agreed()
    key = scope_key(
        request.partner_id, asked.dataset_id, asked.index_version, asked.body, counted.objects
    )
    people = share(counted.covered_subjects, counted.subjects, nudge, key)
    return Agreed(counted.objects, people)
