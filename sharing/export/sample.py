"""Which few photos of a scope are shown to those who decide: by a lot that nobody can steer.

The lot is drawn by a key that only the export worker has, over the digest of what is asked. So it
falls the same way each time, and neither who asks nor who looks can tell or choose where."""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlmodel import Session, col

from sharing.export.source import Candidate
from sharing.offered import PHOTO
from sharing.questions import verify_all
from sharing.records import consents, heads, requests
from sharing.records.datasets import Dataset, DatasetObject, in_scope
from sharing.records.requests import Request, RequestRevision
from sharing.request import taken_within

SHOWN = 6
SPARE = 18  # more than are shown, for some may be unreadable
SMALL = 5_000  # objects of a scope that are all in the lot; in a larger one places are drawn
AT_ONCE, TRIES = 200, 10
_LABEL = b"clearance preview v1\x00"
_PLACE: Any = col(DatasetObject.position)

Row = tuple[int, str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a dataset lies, and objects of it with active consent, each of another person, in the
    order of the lot; `places` are their positions in the index. `looked`: how many were asked."""

    location: str
    candidates: tuple[Candidate, ...]
    places: tuple[int, ...]
    looked: int


def has_photos(revision: RequestRevision, dataset: Dataset) -> bool:
    """True where photographs are among what is asked for."""
    fields = revision.body["scope"]["fields"]
    return bool(dataset.location) and PHOTO in {name.partition(":")[0] for name in fields}


def sample_of(session: Session, request_id: str, key: bytes, at: datetime) -> Sample:
    """Draws from what a request asks for now."""
    request = requests.get(session, request_id)
    return sample(session, request, requests.revision_row(session, request), key, at)


def sample(
    session: Session, request: Request, revision: RequestRevision, key: bytes, at: datetime
) -> Sample:
    """Draws objects of the scope whose subjects' consent is active at this moment."""
    dataset = session.get_one(Dataset, revision.dataset_id)
    asked = consents.questions(session, revision.body, dataset, request.partner_id)
    position = heads.position(session.connection(), "consent")
    drawn, looked, people = list[tuple[int, Candidate]](), 0, set[str]()
    lot = _lot(session, revision, key) if has_photos(revision, dataset) else iter(())
    while len(drawn) < SPARE and (some := list(islice(lot, AT_ONCE))):
        looked += len(some)
        said = consents.of_subjects(session, sorted({row[2] for row in some}))
        for place, path, subject, size, modified_ns, kind in some:
            yes = verify_all(asked, said.get(subject, ()), at).excluded is None
            if yes and subject not in people and len(drawn) < SPARE:
                people.add(subject)
                found = Candidate(path, subject, size, modified_ns, kind, position)
                drawn.append((place, found))
    return Sample(
        dataset.location, tuple(one for _, one in drawn), tuple(at for at, _ in drawn), looked
    )


def _lot(session: Session, revision: RequestRevision, key: bytes) -> Iterator[Row]:
    """Objects in scope, in an order that follows from key and digest alone."""
    root = hmac.digest(key, _LABEL + revision.digest.encode(), "sha256")
    first = _rows(session, revision, most=SMALL + 1)
    if len(first) <= SMALL:
        yield from sorted(first, key=lambda row: _number(root, row[0]))
        return
    last = _last(session, revision)
    seen = set[int]()
    for number in range(TRIES):
        tries = [_number(root, number * AT_ONCE + i) % (last + 1) for i in range(AT_ONCE)]
        places = list(dict.fromkeys(place for place in tries if place not in seen))
        seen.update(places)
        rows = {row[0]: row for row in _rows(session, revision, places=places)}
        yield from (rows[place] for place in places if place in rows)


def _number(root: bytes, place: int) -> int:
    return int.from_bytes(hmac.digest(root, str(place).encode(), "sha256")[:8], "big")


def _rows(
    session: Session,
    revision: RequestRevision,
    *,
    most: int | None = None,
    places: Sequence[int] | None = None,
) -> list[Row]:
    scope = revision.body["scope"]
    wanted = in_scope(revision.dataset_id, revision.index_version, *taken_within(scope))
    if places is not None:
        wanted = wanted.where(col(DatasetObject.position).in_(places))
    if most is not None:
        wanted = wanted.limit(min(most, scope["limit"]))
    names: Any = (
        DatasetObject.position,
        DatasetObject.path,
        DatasetObject.subject,
        DatasetObject.bytes,
        DatasetObject.modified_ns,
        DatasetObject.media_type,
    )
    return [tuple(row) for row in session.execute(wanted.with_only_columns(*names))]


def _last(session: Session, revision: RequestRevision) -> int:
    """The position of the last object in scope."""
    scope = revision.body["scope"]
    after, before = taken_within(scope)
    wanted, place = in_scope(revision.dataset_id, revision.index_version, after, before), _PLACE
    ordered = wanted.order_by(None).order_by(place.desc()).with_only_columns(place)
    end = int(session.execute(ordered.limit(1)).scalar_one())
    if after is None and before is None:  # positions have no gaps
        return min(int(scope["limit"]) - 1, end)
    plain = wanted.with_only_columns(place).offset(scope["limit"] - 1).limit(1)
    found = session.execute(plain).scalar()
    return end if found is None else int(found)
