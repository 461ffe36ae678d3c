"""The objects of a shard on their way into it, one by one, and the rows that describe them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from sharing.export import manifest, tar
from sharing.export.bucket import Bucket
from sharing.export.columns import Columns, record
from sharing.export.layout import JSON_TYPE
from sharing.export.minimise import EXTENSIONS, Unreadable, format_of, minimise
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.reading import read
from sharing.export.shard_file import Piece
from sharing.export.source import Candidate, Unread
from sharing.export.stopwatch import Step, Stopwatch
from sharing.export.suspects import DETAIL, InHand
from sharing.export.unreadable import Buffer
from sharing.export.windows import in_windows

if TYPE_CHECKING:
    from sharing.export.canary import Planted

_BESIDE = ".json"
_REPORT_EVERY = 32  # objects; and at least once for so many bytes, as a limit is kept by it:
_REPORT_BYTES = 64 * 1024

# What is delivered of an object, by extension: its media type, and its pieces.
Parts = Mapping[str, tuple[str, Iterable[Piece]]]


class Objects:
    """The cleaned objects of a shard. `objects` and `bytes` count what was passed on, `unread` is
    what was not. Ordered by pseudonym, so that their order says nothing about the subjects."""

    def __init__(
        self,
        source: Path | Bucket,
        candidates: Sequence[Candidate],
        category: str,
        pseudonyms: Pseudonyms,
        columns: Columns | None,
        planted: "Sequence[Planted]",
        *,
        progress: Callable[[int, int], None] | None,
        clock: Stopwatch,
        hand: InHand,
    ) -> None:
        self.clock = clock
        self.objects = self.bytes = 0
        self.rows: list[manifest.Row] = []
        self.unread: list[Unread] = []
        self._hand = hand
        self._category = category
        self._pseudonyms = pseudonyms
        self._progress = progress
        named = [(pseudonyms.object(candidate.path), candidate) for candidate in candidates]
        named.sort(key=itemgetter(0))
        self._names = [name for name, _ in named]
        ordered = [candidate for _, candidate in named]
        self._columns = columns
        self._beside = columns.values(ordered, pseudonyms) if columns else {}
        photos = columns is None or columns.photos
        self._read = read(source, ordered) if photos else ((one, None) for one in ordered)
        self._planted = sorted(planted, key=attrgetter("name"), reverse=True) if photos else []

    def stripped(self, folder: str, shard: str) -> Iterator[tuple[str, Iterable[Piece], int]]:
        """(file name, pieces, bytes) of each part of each object that can be exported."""
        done = ahead = 0
        for name, (candidate, data) in zip(self._names, self._read, strict=True):
            yield from self._planted_before(name, folder, shard)
            done += 1
            self.clock.lap(Step.READ)
            if self._progress is not None and (done % _REPORT_EVERY == 0 or self.bytes >= ahead):
                self._progress(done, self.bytes)
                ahead = self.bytes + _REPORT_BYTES
            parts = self._parts(name, folder, candidate, data)
            if isinstance(parts, Unread):
                self.unread.append(parts)
                continue
            self.clock.lap(Step.MINIMISE)
            subject = self._pseudonyms.subject(candidate.subject)
            yield from self._passed(name, folder, shard, parts, subject, candidate.consent_position)
        yield from self._planted_before(None, folder, shard)
        if self._progress is not None:
            self._progress(done, self.bytes)

    def _parts(
        self, name: str, folder: str, candidate: Candidate, data: Buffer | Unread | None
    ) -> Parts | Unread:
        """What is delivered of an object: its photograph, its columns, or both; or why nothing."""
        if isinstance(data, Unread):
            return data
        if not folder and candidate.bytes > tar.LARGEST_MEMBER:
            return Unread(candidate.path, "is larger than a tar can hold (8 GiB)")
        if not self._hand.takes(name):
            return Unread(candidate.path, DETAIL)
        parts: dict[str, tuple[str, Iterable[Piece]]] = {}
        if self._columns is not None:
            values = self._beside[candidate.path]
            if isinstance(values, Unread):
                return values
            names = [field.name for field in self._columns.fields]
            parts[_BESIDE] = JSON_TYPE, [record(names, values)]
        if data is not None:
            try:
                media_type, pieces = _clean(data)
            except Unreadable as why:
                return Unread(candidate.path, why.detail)
            parts[EXTENSIONS[media_type]] = media_type, pieces
        return parts

    def _planted_before(
        self, name: str | None, folder: str, shard: str
    ) -> Iterator[tuple[str, Iterable[Piece], int]]:
        """The canaries whose names come before that one; all that are left without one. Where
        columns go beside photographs, theirs are those of somebody without a row."""
        while self._planted and (name is None or self._planted[-1].name < name):
            one = self._planted.pop()
            parts = {EXTENSIONS[one.media_type]: (one.media_type, [one.data])}
            if self._columns is not None:
                names = [field.name for field in self._columns.fields]
                parts[_BESIDE] = JSON_TYPE, [record(names, [None] * len(names))]
            yield from self._passed(
                one.name, folder, shard, parts, one.subject, one.consent_position
            )

    def _passed(
        self, name: str, folder: str, shard: str, parts: Parts, subject: str, position: int
    ) -> Iterator[tuple[str, Iterable[Piece], int]]:
        self.objects += 1
        for extension, (media_type, pieces) in sorted(parts.items()):  # as the manifest orders them
            file = name + extension
            size = self._add(folder + file, shard, media_type, pieces, subject, position)
            self.clock.lap(Step.HASH)
            yield file, pieces, size
            self.clock.lap(Step.PACK)

    def _add(
        self,
        path: str,
        shard: str,
        media_type: str,
        pieces: Iterable[Piece],
        subject: str,
        position: int,
    ) -> int:
        digest, size = sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
        self.bytes += size
        beside = self._columns if media_type == JSON_TYPE else None
        self.rows.append(
            manifest.Row(
                path=path,
                shard=shard,
                bytes=size,
                sha256=digest.hexdigest(),
                subject_pseudonym=subject,
                category=beside.category if beside else self._category,
                consent_position=position,
                media_type=media_type,
            )
        )
        return size


def _clean(data: Buffer) -> tuple[str, Iterable[Piece]]:
    """(media type, pieces) of the object without its metadata. What no rule foresaw is unreadable
    too: it is never passed on as it is, and never holds up the objects beside it."""
    try:
        media_type = format_of(data)
        return media_type, in_windows(data, minimise(data, media_type))
    except (Unreadable, MemoryError):
        raise
    except Exception as unforeseen:
        raise Unreadable(f"cannot be cleaned ({type(unforeseen).__name__})") from unforeseen
