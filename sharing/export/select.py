"""The first stage of the pipe: what is in scope, shard by shard, and whom consent lets through."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col

from sharing.consent import Answer, verify
from sharing.export.pack import Candidate
from sharing.records import consents, heads
from sharing.records.datasets import Dataset, DatasetObject, in_scope
from sharing.records.exports import ExportShard
from sharing.records.requests import Request, RequestRevision
from sharing.request import moment


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of one shard may go: `position` of the ledger it was asked at, and `until`, the moment
    the first of these consents runs out (None: none does). `places` are the candidates' index
    positions, one each."""

    candidates: tuple[Candidate, ...]
    places: tuple[int, ...]
    excluded: Mapping[str, int]
    position: int
    until: datetime | None


def cut(objects: Sequence[tuple[int, str]], size: int) -> Iterator[tuple[int, int]]:
    """A scope cut into shards of at most `size` objects: first and last index position of each."""
    for start in range(0, len(objects), size):
        part = objects[start : start + size]
        yield part[0][0], part[-1][0]


def choose(
    session: Session, request: Request, revision: RequestRevision, shard: ExportShard, at: datetime
) -> Chosen:
    """Asks every subject of a shard again, at this moment."""
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.question(session, revision.body["purpose"], dataset, request.partner_id)
    position = heads.position(session.connection(), "consent")
    said = consents.of_objects(session, dataset.id, revision.index_version, shard.first, shard.last)
    answers: dict[str, Answer] = {}
    excluded: Counter[str] = Counter()
    candidates, places = list[Candidate](), list[int]()
    for place, path, subject, size, modified_ns, media_type in _rows(session, revision, shard):
        answer = answers.get(subject)
        if answer is None:
            answer = answers[subject] = verify(asked, said.get(subject, ()), at)
        if answer.excluded is not None:
            excluded[answer.excluded] += 1
        else:
            candidates.append(Candidate(path, subject, size, modified_ns, media_type, position))
            places.append(place)
    ends = [a.until for a in answers.values() if a.excluded is None and a.until is not None]
    return Chosen(
        tuple(candidates), tuple(places), dict(excluded), position, min(ends, default=None)
    )


def _rows(
    session: Session, revision: RequestRevision, shard: ExportShard
) -> Sequence[tuple[int, str, str, int, int, str]]:
    where = revision.body["scope"]["where"]
    statement = in_scope(
        revision.dataset_id,
        revision.index_version,
        moment(where.get("taken_after")),
        moment(where.get("taken_before")),
    ).where(col(DatasetObject.position).between(shard.first, shard.last))
    rows = session.execute(
        statement.with_only_columns(  # type: ignore[call-overload]
            DatasetObject.position,
            DatasetObject.path,
            DatasetObject.subject,
            DatasetObject.bytes,
            DatasetObject.modified_ns,
            DatasetObject.media_type,
        )
    )
    return [tuple(row) for row in rows]


def lapsed(
    session: Session,
    request: Request,
    revision: RequestRevision,
    shards: Sequence[ExportShard],
    at: datetime,
) -> list[int]:
    """Numbers of the shards in which some consent ended since the shard was made: by an event
    behind its ledger position, or by running out. Empty means: what was packed may still go.
    The ledger is held, so nothing can be appended until this transaction ends (I8)."""
    heads.position(session.connection(), "consent", hold=True)
    stale = {s.number for s in shards if s.consent_until is not None and s.consent_until <= at}
    oldest = min((s.consent_position or 0 for s in shards), default=0)
    changed = dict(consents.since(session, revision.dataset_id, revision.index_version, oldest))
    if not changed:
        return sorted(stale)
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.question(session, revision.body["purpose"], dataset, request.partner_id)
    said = consents.of_subjects(session, list(changed))
    ended = [s for s in changed if verify(asked, said.get(s, ()), at).excluded is not None]
    for place, subject in consents.places(
        session, revision.dataset_id, revision.index_version, ended
    ):
        stale.update(
            shard.number
            for shard in shards
            if shard.first <= place <= shard.last
            and changed[subject] > (shard.consent_position or 0)
        )
    return sorted(stale)
