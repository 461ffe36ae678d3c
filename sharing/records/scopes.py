"""Scopes over a dataset's index: which objects a revision asks for, and how many may go."""

from collections.abc import Sequence

from sqlmodel import Session

from sharing.consent import Coverage
from sharing.notice import Comparison
from sharing.records import consents, heads, notices, requests
from sharing.records.datasets import Dataset, DatasetObject, in_scope
from sharing.records.requests import Request, RequestRevision
from sharing.records.tables import now
from sharing.request import moment


def objects_of(session: Session, revision: RequestRevision) -> Sequence[tuple[int, str]]:
    """(index position, subject) of every object in scope, in index order: the filter's matches,
    up to the limit. Consent is not asked here: it excludes from the scope, and never refills it."""
    scope = revision.body["scope"]
    statement = in_scope(
        revision.dataset_id,
        revision.index_version,
        moment(scope["where"].get("taken_after")),
        moment(scope["where"].get("taken_before")),
    ).limit(scope["limit"])
    rows = session.execute(
        statement.with_only_columns(DatasetObject.position, DatasetObject.subject)  # type: ignore[call-overload]
    )
    return [(row[0], row[1]) for row in rows]


def coverage(session: Session, request: Request) -> Coverage:
    """A request's scope counted over the consent ledger as it stands now."""
    revision = requests.revision_row(session, request)
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.question(session, revision.body["purpose"], dataset, request.partner_id)
    position = heads.position(session.connection(), "consent")
    return consents.count(
        session,
        asked,
        objects_of(session, revision),
        dataset,
        revision.index_version,
        now(),
        position,
    )


def undecided(session: Session, request: Request) -> list[Comparison]:
    """Pairs of notices that somebody should decide before this request's scope can be whole."""
    revision = requests.revision_row(session, request)
    dataset = session.get_one(Dataset, revision.dataset_id)
    return notices.undecided(session, revision.body["purpose"], dataset.category)
