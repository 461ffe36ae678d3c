"""Who received a subject's data: each release that it is in, for what, by which yes, until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from sharing.consent import Action, ConsentEvent
from sharing.questions import last_word
from sharing.records import consents
from sharing.records.datasets import Dataset, DatasetObject
from sharing.records.exports import Release
from sharing.records.parties import Partner
from sharing.records.places import Places
from sharing.records.recalling import inside, released_from
from sharing.records.recalls import RecallItem
from sharing.records.requests import Request, RequestRevision
from sharing.stages import RequestState

View = dict[str, Any]


def shares_of(session: Session, subject: str) -> list[View]:
    """Every release that holds objects of this subject, the newest first. `consents` are the
    events that allowed it; `recall` is what the end of one opened afterwards."""
    events = consents.of_subjects(session, [subject]).get(subject, [])
    found = [
        _share(session, subject, row, objects, events)
        for dataset_id, index in released_from(session)
        if len(places := _places(session, dataset_id, index, subject))
        for row in _releases(session, dataset_id, index)
        if (objects := sum(1 for _ in inside(session, row[0].export_id, places)))
    ]
    return sorted(found, key=lambda one: (one["released_at"], one["export"]), reverse=True)


def _places(session: Session, dataset_id: str, index: int, subject: str) -> Places:
    """Where a subject's objects are in one version of an index, in order."""
    mine = columns(DatasetObject.position).where(  # type: ignore[call-overload]
        DatasetObject.dataset_id == dataset_id,
        DatasetObject.index_version == index,
        DatasetObject.subject == subject,
    )
    return np.array(sorted(session.execute(mine).scalars()), dtype=np.int64)


def _releases(session: Session, dataset_id: str, index: int) -> Sequence[Any]:
    statement = (
        columns(Release, Request, RequestRevision, Partner)
        .join(Request, col(Request.id) == Release.request_id)
        .join(RequestRevision, col(RequestRevision.digest) == Release.digest)
        .join(Partner, col(Partner.id) == Request.partner_id)
        .where(
            col(RequestRevision.dataset_id) == dataset_id,
            col(RequestRevision.index_version) == index,
        )
    )
    return session.execute(statement).all()


def _share(
    session: Session, subject: str, row: Any, objects: int, events: Sequence[ConsentEvent]
) -> View:
    release, request, revision, partner = row
    body = revision.body
    asked = consents.questions(
        session, body, session.get_one(Dataset, revision.dataset_id), partner.id
    )
    before = [event for event in events if event.position <= release.consent_position]
    said = [word for question in asked if (word := last_word(question, before)) is not None]
    return {
        "export": release.export_id,
        "request": request.id,
        "partner": partner.id,
        "partner_name": partner.name,
        "recipient_class": partner.recipient_class,
        "purpose": body["purpose"],
        "intended_use": body["intended_use"],
        "trains_models": body["trains_models"],
        "onward_recipients": body["onward_recipients"],
        "fields": body["scope"]["fields"],
        "categories": [question.category for question in asked],
        "objects": objects,
        "released_at": release.released_at,
        "keep_until": _kept(request, release) + timedelta(days=body["retention_days"]),
        "consents": sorted({word.position for word in said if word.action is Action.GIVEN}),
        "recall": _recall(session, release.export_id, subject),
    }


def _kept(request: Request, release: Release) -> datetime:
    """From when the agreement counts how long the recipient may keep it."""
    delivered = request.state == RequestState.DELIVERED and request.digest == release.digest
    return (request.ended_at if delivered else None) or release.released_at


def _recall(session: Session, export_id: str, subject: str) -> View | None:
    item = session.exec(
        select(RecallItem).where(RecallItem.export_id == export_id, RecallItem.subject == subject)
    ).first()
    if item is None:
        return None
    return {
        "state": item.state,
        "reason": item.reason,
        "position": item.position,
        "objects": item.objects,
        "opened_at": item.opened_at,
    }
