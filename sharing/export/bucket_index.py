"""What a dataset in an object store holds: its listing, sorted by path, with each object's subject.

When a photo was taken stands in its first bytes. They are read for the objects that are new or
changed, many at once; of all others it is known from the last scan."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sharing.errors import NotYet, Refused
from sharing.export import index_file
from sharing.export.bucket import Bucket, SourceAway, reading_from, version_of
from sharing.export.index import IndexedObject, counted, media_type_of
from sharing.export.paths import shown, why_unsafe
from sharing.export.scratch import scratch
from sharing.export.source import SourceFailed
from sharing.export.subject_from import check_subject_from, index_file_name, subject_pattern
from sharing.export.taken import taken_at

FIRST = 16 * 1024  # bytes; holds the date of nearly every photo
_HEADS_AT_ONCE = 32
_BATCH = 1000
_RUN = 200_000  # entries sorted in memory; more are merged from files
_SCAN_STARTS = b"\xff\xda"


class Known(NamedTuple):
    """What the last scan found out about one object."""

    path: str
    bytes: int
    modified_ns: int
    taken_at: datetime | None


class _Entry(NamedTuple):
    path: str
    bytes: int
    version: int


def scan(
    place: Bucket,
    subject_from: str,
    known: Iterator[Known] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[IndexedObject]:
    """Every image below `place` whose subject is known, sorted by path. `known` is in that order
    too. `modified_ns` of an object stands for its version.

    Raises Refused as `index.scan` does, and NotYet where the store does not answer now.
    """
    check_subject_from(subject_from)
    if subject_from.startswith("path:"):
        found = _by_pattern(place, subject_pattern(subject_from))
    else:
        found = _by_index_file(place, index_file_name(subject_from))
    return counted(_told(place, _dated(place, found, known or iter(()))), progress)


@contextmanager
def asking(place: Bucket, missing: str = "missing_folder") -> Iterator[None]:
    """What goes wrong with a store as an answer to who has it indexed; `missing` is the code of a
    place that is not there."""
    try:
        with reading_from(place):
            yield
    except SourceAway as failure:
        raise NotYet(failure.code, str(failure)) from failure
    except SourceFailed as failure:
        code = missing if failure.code == "source_missing" else failure.code
        raise Refused(code, str(failure)) from failure


def _told(place: Bucket, found: Iterator[IndexedObject]) -> Iterator[IndexedObject]:
    with asking(place):
        yield from found


def _by_pattern(place: Bucket, subject_of: Callable[[str], str | None]) -> Iterator[IndexedObject]:
    for entry in _images(place):
        subject = subject_of(entry.path)
        if subject is not None:
            yield _indexed(entry, subject, None)


def _by_index_file(place: Bucket, name: str) -> Iterator[IndexedObject]:
    with scratch() as folder:
        file = folder / name
        _download(place, file)
        entries = _images(place)
        entry = next(entries, None)
        for row in index_file.rows(file):
            while entry is not None and entry.path < row.object:
                entry = next(entries, None)
            if entry is None or entry.path != row.object:
                what = (
                    "is not an image"
                    if media_type_of(row.object) is None
                    else f"is not an object of {place}"
                )
                raise index_file.bad_index(
                    file, row.line, f"the object {shown(row.object)} {what}; correct or drop it."
                )
            yield _indexed(entry, row.subject, row.taken_at)


def _download(place: Bucket, file: Path) -> None:
    try:
        found = place.store().get(place.key(file.name))
    except FileNotFoundError:
        raise Refused(
            "missing_index",
            f"There is no index file {file.name} in {place}: put it there, or say how the path "
            "names the subject, as in 'path:{subject}/*'.",
        ) from None
    with file.open("wb") as out:
        for chunk in found.stream():
            out.write(chunk)


def _indexed(entry: _Entry, subject: str, taken_at: datetime | None) -> IndexedObject:
    media_type = media_type_of(entry.path) or ""
    return IndexedObject(entry.path, subject, entry.bytes, entry.version, media_type, taken_at)


def _images(place: Bucket) -> Iterator[_Entry]:
    """The listing's images in the order of their paths, which not every store lists them in."""
    entries = (
        _Entry(meta["path"], int(meta["size"]), version_of(meta))
        for meta in place.listed()
        if media_type_of(meta["path"]) is not None and not _odd(place, meta["path"])
    )
    runs = []
    while run := sorted(islice(entries, _RUN)):
        runs.append(iter(run) if len(run) < _RUN else _written(run))
    return merge(*runs)


def _odd(place: Bucket, path: str) -> bool:
    odd = why_unsafe(path)
    if odd:
        raise Refused(
            "bad_index", f"In {place} the name {shown(path)} {odd}: rename it, then index again."
        )
    return False


def _written(run: Sequence[_Entry]) -> Iterator[_Entry]:
    file = tempfile.TemporaryFile("w+")  # noqa: SIM115 (gone with its reader)
    file.writelines(json.dumps(entry) + "\n" for entry in run)
    file.seek(0)
    return (_Entry(*json.loads(line)) for line in file)


def _dated(
    place: Bucket, found: Iterator[IndexedObject], known: Iterator[Known]
) -> Iterator[IndexedObject]:
    """The objects with the time they were taken, where it can be known."""
    last = _Last(known)
    with ThreadPoolExecutor(_HEADS_AT_ONCE, "head") as pool:
        while batch := list(islice(found, _BATCH)):
            remembered = [last.of(item) for item in batch]
            unknown = [
                item
                for item, old in zip(batch, remembered, strict=True)
                if old is None and item.taken_at is None
            ]
            read = dict(zip(unknown, pool.map(lambda i: _taken_at(place, i), unknown), strict=True))
            for item, old in zip(batch, remembered, strict=True):
                taken = item.taken_at or (old.taken_at if old else read.get(item))
                yield replace(item, taken_at=taken)


class _Last:
    """The last scan, walked along with this one."""

    def __init__(self, known: Iterator[Known]) -> None:
        self._known = known
        self._next = next(known, None)

    def of(self, item: IndexedObject) -> Known | None:
        """What is known of this very version."""
        while self._next is not None and self._next.path < item.path:
            self._next = next(self._known, None)
        old = self._next
        if old is not None and old.path == item.path:
            same = (old.bytes, old.modified_ns) == (item.bytes, item.modified_ns)
            return old if same else None
        return None


def _taken_at(place: Bucket, item: IndexedObject) -> datetime | None:
    if not item.bytes:
        return None
    try:
        start = _part(place, item, 0, FIRST)
        taken = taken_at(lambda at, size: start[at : at + size])
        # The date may stand behind what was read: in a long block, or behind long other ones.
        if taken is None and len(start) < item.bytes and _goes_on(start):
            taken = taken_at(lambda at, size: _part(place, item, at, size))
        return taken
    except (FileNotFoundError, ValueError):
        return None  # gone since it was listed, or oddly named: the export will say so


def _goes_on(start: bytes) -> bool:
    """False for a JPEG whose image data has begun: no EXIF stands behind that."""
    return start[:2] != b"\xff\xd8" or b"Exif\x00\x00" in start or _SCAN_STARTS not in start


def _part(place: Bucket, item: IndexedObject, at: int, size: int) -> bytes:
    end = min(at + size, item.bytes)
    if at >= end:
        return b""
    options: Any = {"range": (at, end)}
    return bytes(place.store().get(place.key(item.path), options=options).bytes())


__all__ = ["Known", "scan"]
