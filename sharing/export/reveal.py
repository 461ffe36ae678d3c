"""Whom and what the names in a delivered package mean: found by naming the export's objects again.

Nothing is stored that could be stolen: who has the partner's key and the database can answer, who
lacks either cannot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session, col, select

from sharing.errors import Refused
from sharing.export.pseudonyms import OBJECT_HEX, Pseudonyms
from sharing.keyring import Keyring
from sharing.records import canaries, exports, pseudonym_keys
from sharing.records.datasets import DatasetObject
from sharing.records.exports import ExportShard
from sharing.records.places import among
from sharing.records.requests import Request, RequestRevision


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a delivered name stands for: a subject with its objects, one object of a subject, or a
    canary, who is nobody."""

    name: str
    subject: str | None
    objects: tuple[str, ...] = ()
    canary: bool = False


def reveal(
    session: Session, export_id: str, ring: Keyring, names: Sequence[str]
) -> dict[str, Meaning]:
    """What each of `names` means that an export delivered: subjects' pseudonyms, and objects with
    or without folder and ending. A name that it did not deliver is left out."""
    release = exports.released(session, export_id)
    if release is None:
        raise Refused("not_released", "Nothing was delivered by this export.")
    partner = session.get_one(Request, release.request_id).partner_id
    key = ring.key(pseudonym_keys.of(session, partner) or ring.oldest)
    wanted = {bare(name): name for name in names}
    found = _planted(session, export_id, wanted)
    named = Pseudonyms(key, partner)
    revision = session.exec(
        select(RequestRevision).where(RequestRevision.digest == release.digest)
    ).one()
    for shard in exports.shards_of(session, export_id):
        objects = _delivered(session, revision, shard)
        _look(found, wanted, named, objects)
    return found


def bare(name: str) -> str:
    """A name without the folders before it and the endings behind it."""
    return name.strip().rpartition("/")[2].partition(".")[0].lower()


def _planted(session: Session, export_id: str, wanted: dict[str, str]) -> dict[str, Meaning]:
    found = {}
    for name, subject in canaries.subjects_of(session, export_id).items():
        for word in {name, subject} & wanted.keys():
            found[wanted[word]] = Meaning(wanted[word], None, (), canary=True)
    return found


def _look(
    found: dict[str, Meaning],
    wanted: dict[str, str],
    named: Pseudonyms,
    objects: Iterable[tuple[str, str]],
) -> None:
    subjects: dict[str, str] = {}
    some = any(len(word) == OBJECT_HEX for word in wanted)
    for path, subject in objects:
        if subject not in subjects:
            subjects[subject] = named.subject(subject)
        if (word := subjects[subject]) in wanted:
            name = wanted[word]
            before = found[name].objects if name in found else ()
            found[name] = Meaning(name, subject, (*before, path))
        if some and (word := named.object(path)) in wanted:
            found[wanted[word]] = Meaning(wanted[word], subject, (path,))


def _delivered(
    session: Session, revision: RequestRevision, shard: ExportShard
) -> list[tuple[str, str]]:
    """(path, subject) of each object that a shard holds."""
    rows = session.exec(
        select(DatasetObject.position, DatasetObject.path, DatasetObject.subject).where(
            DatasetObject.dataset_id == revision.dataset_id,
            DatasetObject.index_version == revision.index_version,
            col(DatasetObject.position).between(shard.first, shard.last),
        )
    ).all()
    places = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    inside = among(shard.places, shard.first, places)
    return [
        (path, subject) for (_, path, subject), there in zip(rows, inside, strict=True) if there
    ]
