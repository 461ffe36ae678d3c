"""The first stage of the pipe: what is in scope, shard by shard, and whom consent lets through."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col

from sharing.consent import Answer
from sharing.export.pack import Candidate
from sharing.questions import Questions, terms_of, verify_all
from sharing.records import consents, heads, news
from sharing.records.datasets import Dataset, DatasetObject, in_scope
from sharing.records.exports import ExportShard
from sharing.records.requests import Request, RequestRevision
from sharing.request import taken_within


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of one shard may go, at these index `places`: `position` of the ledger it was asked at,
    the `terms` that it was asked under, and `until`, the moment the first of these consents runs
    out (None: none does)."""

    candidates: tuple[Candidate, ...]
    places: tuple[int, ...]
    excluded: Mapping[str, int]
    position: int
    until: datetime | None
    terms: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Shown of an export's shards: up to `position` of the ledger no event ended a consent in them,
    and until `until` (None: ever) none runs out that was given since they were made."""

    position: int
    until: datetime | None


def choose(
    session: Session, request: Request, revision: RequestRevision, shard: ExportShard, at: datetime
) -> Chosen:
    """Asks every subject of a shard again, at this moment."""
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.questions(session, revision.body, dataset, request.partner_id)
    position = heads.position(session.connection(), "consent")
    said = consents.of_objects(session, dataset.id, revision.index_version, shard.first, shard.last)
    answers: dict[str, Answer] = {}
    excluded: Counter[str] = Counter()
    candidates, places = list[Candidate](), list[int]()
    for place, path, subject, size, modified_ns, media_type, row in _rows(session, revision, shard):
        answer = answers.get(subject)
        if answer is None:
            answer = answers[subject] = verify_all(asked, said.get(subject, ()), at)
        if answer.excluded is not None:
            excluded[answer.excluded] += 1
        else:
            found = Candidate(path, subject, size, modified_ns, media_type, position, row)
            candidates.append(found)
            places.append(place)
    ends = [a.until for a in answers.values() if a.excluded is None and a.until is not None]
    return Chosen(
        tuple(candidates),
        tuple(places),
        dict(excluded),
        position,
        min(ends, default=None),
        terms_of(asked),
    )


def _rows(
    session: Session, revision: RequestRevision, shard: ExportShard
) -> Sequence[tuple[int, str, str, int, int, str, int | None]]:
    statement = in_scope(
        revision.dataset_id,
        revision.index_version,
        *taken_within(revision.body["scope"]),
    ).where(col(DatasetObject.position).between(shard.first, shard.last))
    rows = session.execute(
        statement.with_only_columns(  # type: ignore[call-overload]
            DatasetObject.position,
            DatasetObject.path,
            DatasetObject.subject,
            DatasetObject.bytes,
            DatasetObject.modified_ns,
            DatasetObject.media_type,
            DatasetObject.row,
        )
    )
    return [tuple(row) for row in rows]


def lapsed(
    session: Session,
    request: Request,
    revision: RequestRevision,
    shards: Sequence[ExportShard],
    at: datetime,
    proof: Proof | None = None,
) -> list[int]:
    """Numbers of the shards that may not go at `at`: some consent in them ended since they were
    made, by an event or by running out, or the terms changed. Empty: what was packed may still go.
    The ledger is held, so nothing can be appended until this transaction ends (I8). What `proof`
    showed of these shards is not looked at again; the rest costs what the new events cost."""
    heads.position(session.connection(), "consent", hold=True)
    if proof is not None and proof.until is not None and proof.until <= at:
        proof = None
    return sorted(_stale(session, request, revision, shards, at, proof)[0])


def look_ahead(
    session: Session,
    request: Request,
    revision: RequestRevision,
    shards: Sequence[ExportShard],
    at: datetime,
) -> tuple[Proof, list[int]]:
    """The same, before the ledger is held: what is proven now need not be when everybody waits."""
    position = heads.position(session.connection(), "consent")
    stale, until = _stale(session, request, revision, shards, at, None)
    return Proof(position, until), sorted(stale)


def _stale(
    session: Session,
    request: Request,
    revision: RequestRevision,
    shards: Sequence[ExportShard],
    at: datetime,
    proof: Proof | None,
) -> tuple[set[int], datetime | None]:
    """The shards that may not go; and, where there are none, when the first consent runs out of
    those that were given anew since the shards were made."""
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.questions(session, revision.body, dataset, request.partner_id)
    terms = terms_of(asked)
    stale = {s.number for s in shards if s.consent_until is not None and s.consent_until <= at}
    stale |= {s.number for s in shards if s.consent_terms != terms}
    known = {s.number: max(s.consent_position or 0, proof.position if proof else 0) for s in shards}
    said = news.since(session, asked, min(known.values(), default=0))
    scope = revision.dataset_id, revision.index_version
    hit = news.in_shards(session, scope, shards, known, said)
    # One subject of each shard first, who said no if anybody did: then most of the others need not
    # be asked, and a purge of 100,000 accounts costs a question a shard.
    first = {n: [max(subjects, key=lambda s: said[s].against)] for n, subjects in hit.items()}
    _asked_of(session, asked, at, first, stale)
    return stale, _asked_of(session, asked, at, hit, stale)


def _asked_of(
    session: Session,
    asked: Questions,
    at: datetime,
    hit: Mapping[int, Sequence[str]],
    stale: set[int],
) -> datetime | None:
    """Asks these subjects by number of shard, but for shards that are `stale` already; adds those
    in which a consent ended, and says when the first of the others runs out."""
    wanted = {number: subjects for number, subjects in hit.items() if number not in stale}
    subjects = sorted(set().union(*wanted.values()))
    said = consents.of_subjects(session, subjects)
    answers = {subject: verify_all(asked, said.get(subject, ()), at) for subject in subjects}
    ended = {subject for subject, answer in answers.items() if answer.excluded is not None}
    stale |= {number for number, inside in wanted.items() if not ended.isdisjoint(inside)}
    return min((a.until for a in answers.values() if a.until is not None), default=None)
