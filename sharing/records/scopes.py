"""Scopes over a dataset's index: which objects a revision asks for, and how many may go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain

import numpy as np
from sqlmodel import Session, col, select

from sharing.consent import Coverage
from sharing.notice import Comparison
from sharing.offered import categories
from sharing.questions import terms_of
from sharing.records import consents, notices, requests
from sharing.records.datasets import Dataset, DatasetObject, in_scope, offer_of
from sharing.records.ledger import micros
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.request import taken_within
from sharing.snapshot.columns import Whole
from sharing.snapshot.keeper import Asked, snapshots_of
from sharing.snapshot.progress import Tell, untold
from sharing.snapshot.scope import PAGE
from sharing.snapshot.selection import Filter
from sharing.stages import ENDED


def sizes(session: Session, revision: RequestRevision) -> Iterator[tuple[Whole, Whole]]:
    """(index positions, bytes as indexed) of every object in scope, in index order and page by
    page: the filter's matches, up to the limit. Consent is not asked here: it excludes from the
    scope, and never refills it."""
    scope = revision.body["scope"]
    statement = in_scope(
        revision.dataset_id,
        revision.index_version,
        *taken_within(scope),
    ).limit(scope["limit"])
    rows = session.connection().execute(  # rows as they are: the session's way costs more
        statement.with_only_columns(DatasetObject.position, DatasetObject.bytes),  # type: ignore[call-overload]
        execution_options={"yield_per": PAGE},
    )
    for page in rows.partitions():
        flat = np.fromiter(chain.from_iterable(page), np.int64, 2 * len(page))
        yield flat[0::2], flat[1::2]


def coverage(session: Session, request: Request, tell: Tell = untold) -> Coverage:
    """A request's scope counted over the consent ledger as it stands now, by a snapshot of it;
    `tell` hears how far it has come.

    Only for sessions that read: what a transaction has not committed is not to be counted."""
    revision = requests.revision_row(session, request)
    scope = revision.body["scope"]
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked, *besides = consents.questions(session, revision.body, dataset, request.partner_id)
    after, before = taken_within(scope)
    about = {
        "request": request.id,
        "digest": revision.digest,
        "purpose": asked.purpose,
        "category": asked.category,
        "recipient": asked.recipient,
        "explicit": asked.explicit,
        "terms": terms_of([asked, *besides]),
        "dataset": dataset.id,
        "index": revision.index_version,
        **({"besides": [one.category for one in besides]} if besides else {}),
    }
    decision = snapshots_of(session).decided(
        session,
        Asked(
            asked,
            dataset.id,
            revision.index_version,
            Filter(_micros(after), _micros(before), scope["limit"]),
            micros(now()),
            seed=revision.digest,
            about=about,
        ),
        tell,
        besides,
    )
    asked_of = [one.category for one in (asked, *besides)]
    return replace(decision.coverage(), categories=asked_of)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def indexes_needed(session: Session, dataset_id: str) -> frozenset[int]:
    """The versions of a dataset's index that requests name which have not come to their end."""
    return frozenset(
        session.exec(
            select(RequestRevision.index_version)
            .join(Request, col(Request.digest) == RequestRevision.digest)
            .where(RequestRevision.dataset_id == dataset_id, col(Request.state).not_in(ENDED))
        )
    )


def undecided(session: Session, request: Request) -> list[Comparison]:
    """Pairs of notices that somebody should decide before this request's scope can be whole."""
    revision = requests.revision_row(session, request)
    dataset = session.get_one(Dataset, revision.dataset_id)
    fields = offer_of(dataset).asked(revision.body["scope"]["fields"])
    purpose = revision.body["purpose"]
    found = [notices.undecided(session, purpose, category) for category in categories(fields)]
    return list(dict.fromkeys(pair for pairs in found for pair in pairs))
