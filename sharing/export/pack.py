"""Packs one shard: reads, strips, hashes and writes its objects, and makes it visible in one step.

Everything is written in `.work/<shard>/<attempt>` and renamed when it is whole and on the disk. An
attempt that begins sweeps away what earlier ones left there, so that one that was superseded, and
wakes up, finds its files gone and publishes nothing."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from sharing.export import manifest, tar
from sharing.export.bucket import Bucket
from sharing.export.destination import (
    DestinationFailed,
    erase_tree,
    sync_files,
    sync_folder,
    write_durably,
    writing_to,
)
from sharing.export.layout import OBJECTS, PACKINGS, PARTS, WORK, PackedFile
from sharing.export.minimise import EXTENSIONS, Unreadable, format_of, minimise
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.reading import read
from sharing.export.shard_file import Piece, ShardFile, encrypted, write_encrypted
from sharing.export.source import Candidate, SourceFailed, Unread
from sharing.export.stopwatch import Step, Stopwatch
from sharing.export.suspects import DETAIL, InHand, Watch
from sharing.export.unreadable import Buffer
from sharing.export.windows import in_windows

if TYPE_CHECKING:
    from sharing.export.canary import Planted

_AT_ONCE = 8 * 1024 * 1024  # bytes; a larger object is written, and encrypted, as it is read
_REPORT_EVERY = 32  # objects; and at least once for so many bytes, as a limit is kept by it:
_REPORT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ShardResult:
    """One packed shard. `bytes` counts the plain objects; `manifest` is the part's path; `stages`
    says how many microseconds went where."""

    number: int
    files: tuple[PackedFile, ...]
    objects: int
    bytes: int
    manifest: str
    manifest_sha256: str
    unread: tuple[Unread, ...]
    stages: dict[str, int] = field(default_factory=dict, compare=False)


def write_shard(
    source: Path | Bucket,
    staging: Path,
    number: int,
    candidates: Sequence[Candidate],
    *,
    packing: str,
    category: str,
    pseudonyms: Pseudonyms,
    age_recipient: str | None,
    attempt: str,
    progress: Callable[[int, int], None] | None,
    watch: Watch | None = None,
    planted: "Sequence[Planted]" = (),
) -> ShardResult:
    """Writes shard `number` of a package into `staging`.

    Objects are ordered by pseudonym, so that their order says nothing about the subjects' names.
    `progress` is told (objects, bytes) as they pass and may raise to stop; `watch` finds objects
    that kill. Raises DestinationFailed or SourceFailed, and then nothing of this attempt is
    visible. The same candidates always give the same bytes, except under age, which draws a new key
    for each file.
    """
    if packing not in PACKINGS:
        raise ValueError(f"packing is one of {', '.join(PACKINGS)}, not {packing!r}")
    clock = Stopwatch()
    with writing_to(staging), InHand(watch) as hand:
        shard = _Shard(staging, number, packing, age_recipient, attempt)
        try:
            objects = _Objects(
                source, candidates, category, pseudonyms, progress, planted, clock, hand
            )
            files = shard.write(objects)
            part = manifest.encoded(objects.rows)
            clock.lap(Step.PACK)
            shard.publish(part)
            clock.lap(Step.SYNC)
        except FileNotFoundError:
            raise shard.superseded() from None
        finally:
            shutil.rmtree(shard.work, ignore_errors=True)
    return ShardResult(
        number=number,
        files=files,
        objects=len(objects.rows),
        bytes=objects.bytes,
        manifest=shard.part,
        manifest_sha256=sha256(part).hexdigest(),
        unread=tuple(objects.unread),
        stages=clock.microseconds(),
    )


class _Objects:
    """The stripped objects of a shard, one by one, and the rows that describe them."""

    def __init__(
        self,
        source: Path | Bucket,
        candidates: Sequence[Candidate],
        category: str,
        pseudonyms: Pseudonyms,
        progress: Callable[[int, int], None] | None,
        planted: "Sequence[Planted]",
        clock: Stopwatch,
        hand: InHand,
    ) -> None:
        self.clock = clock
        self._hand = hand
        self.rows: list[manifest.Row] = []
        self.unread: list[Unread] = []
        self.bytes = 0
        self._category = category
        self._pseudonyms = pseudonyms
        self._progress = progress
        named = [(pseudonyms.object(candidate.path), candidate) for candidate in candidates]
        named.sort(key=itemgetter(0))
        self._names = [name for name, _ in named]
        self._read = read(source, [candidate for _, candidate in named])
        self._planted = sorted(planted, key=attrgetter("name"), reverse=True)

    def stripped(self, folder: str, shard: str) -> Iterator[tuple[str, Iterable[Piece], int]]:
        """(file name, pieces, bytes) of each object that can be exported."""
        done = ahead = 0
        for name, (candidate, data) in zip(self._names, self._read, strict=True):
            yield from self._planted_before(name, folder, shard)
            done += 1
            self.clock.lap(Step.READ)
            if self._progress is not None and (done % _REPORT_EVERY == 0 or self.bytes >= ahead):
                self._progress(done, self.bytes)
                ahead = self.bytes + _REPORT_BYTES
            if isinstance(data, Unread):
                self.unread.append(data)
                continue
            if not folder and candidate.bytes > tar.LARGEST_MEMBER:
                self.unread.append(Unread(candidate.path, "is larger than a tar can hold (8 GiB)"))
                continue
            if not self._hand.takes(name):
                self.unread.append(Unread(candidate.path, DETAIL))
                continue
            try:
                media_type, pieces = _clean(data)
            except Unreadable as why:
                self.unread.append(Unread(candidate.path, why.detail))
                continue
            self.clock.lap(Step.MINIMISE)
            file = name + EXTENSIONS[media_type]
            size = self._add(folder + file, shard, candidate, media_type, pieces)
            self.clock.lap(Step.HASH)
            yield file, pieces, size
            self.clock.lap(Step.PACK)
        yield from self._planted_before(None, folder, shard)
        if self._progress is not None:
            self._progress(done, self.bytes)

    def _planted_before(
        self, name: str | None, folder: str, shard: str
    ) -> Iterator[tuple[str, Iterable[Piece], int]]:
        """The canaries whose names come before that one; all that are left without one."""
        while self._planted and (name is None or self._planted[-1].name < name):
            one = self._planted.pop()
            file = one.name + EXTENSIONS[one.media_type]
            self.bytes += len(one.data)
            self.rows.append(
                manifest.Row(
                    path=folder + file,
                    shard=shard,
                    bytes=len(one.data),
                    sha256=one.sha256,
                    subject_pseudonym=one.subject,
                    category=self._category,
                    consent_position=one.consent_position,
                    media_type=one.media_type,
                )
            )
            yield file, [one.data], len(one.data)

    def _add(
        self,
        path: str,
        shard: str,
        candidate: Candidate,
        media_type: str,
        pieces: Iterable[Piece],
    ) -> int:
        digest, size = sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
        self.bytes += size
        self.rows.append(
            manifest.Row(
                path=path,
                shard=shard,
                bytes=size,
                sha256=digest.hexdigest(),
                subject_pseudonym=self._pseudonyms.subject(candidate.subject),
                category=self._category,
                consent_position=candidate.consent_position,
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


class _Shard:
    """Where a shard is written, and the step that makes it visible."""

    def __init__(
        self, staging: Path, number: int, packing: str, age_recipient: str | None, attempt: str
    ) -> None:
        self.part = f"{PARTS}/manifest-{number:05}.parquet"
        self._staging = staging
        self._age = age_recipient
        self._suffix = ".age" if age_recipient else ""
        self._tar = packing == "webdataset"
        self._name = f"shard-{number:05}.tar" if self._tar else f"{OBJECTS}/{number:05}"
        # What is delivered: one file, or one folder. Either is renamed into place in one step.
        self._data = staging / (self._name + self._suffix if self._tar else self._name)
        earlier = staging / WORK / f"{number:05}"
        erase_tree(earlier)
        self.work = earlier / sha256(attempt.encode()).hexdigest()[:16]
        self.work.mkdir(parents=True)
        (staging / PARTS).mkdir(exist_ok=True)
        self._data.parent.mkdir(exist_ok=True)

    def write(self, objects: _Objects) -> tuple[PackedFile, ...]:
        """Writes the objects where nobody sees them yet."""
        return self._write_tar(objects) if self._tar else self._write_objects(objects)

    def _write_tar(self, objects: _Objects) -> tuple[PackedFile, ...]:
        written = self._write(self.work / "data", _members(objects.stripped("", self._name)))
        objects.clock.lap(Step.SYNC)
        if not objects.rows:
            (self.work / "data").unlink()
            return ()
        return (PackedFile(self._data.name, *written),)

    def _write_objects(self, objects: _Objects) -> tuple[PackedFile, ...]:
        folder = self.work / "data"
        folder.mkdir()
        files = []
        for name, pieces, size in objects.stripped(f"{self._name}/", self._name):
            file = folder / (name + self._suffix)
            if size > _AT_ONCE:
                written = self._write(file, iter(pieces))
            else:
                data, digest = b"".join(pieces), objects.rows[-1].sha256
                if self._age:
                    data = encrypted(data, self._age)
                    digest = sha256(data).hexdigest()
                file.write_bytes(data)
                written = len(data), digest
            files.append(PackedFile(f"{self._name}/{file.name}", *written))
        sync_files(folder)
        objects.clock.lap(Step.SYNC)
        if not files:
            folder.rmdir()
        return tuple(files)

    def _write(self, path: Path, pieces: Iterator[Piece]) -> tuple[int, str]:
        """(bytes, sha256) of a new file of these pieces, as they are delivered."""
        with ShardFile(path) as file:
            if self._age:
                write_encrypted(file, pieces, self._age)
            else:
                for piece in pieces:
                    file.write(piece)
        return file.bytes, file.sha256

    def publish(self, part: bytes) -> None:
        """Renames data and manifest part into place."""
        write_durably(self.work / "part", part)
        self._put_data()
        (self.work / "part").replace(self._staging / self.part)
        for folder in {self._data.parent, self._staging / PARTS, self._staging}:
            sync_folder(folder)

    def superseded(self) -> DestinationFailed:
        """Why this attempt's own files are gone: somebody swept them away."""
        return DestinationFailed(
            "superseded",
            f"Another attempt at {self._name} has begun, or the export was cancelled; this one "
            "has published nothing.",
        )

    def _put_data(self) -> None:
        """What an earlier attempt left at this place gives way, also where nothing replaces it."""
        if self._data.is_dir():
            self._data.rename(self.work / "earlier")
        new = self.work / "data"
        if new.exists():
            new.replace(self._data)
        elif self.work.is_dir():
            self._data.unlink(missing_ok=True)


def _members(stripped: Iterator[tuple[str, Iterable[Piece], int]]) -> Iterator[Piece]:
    """The bytes of a tar of these objects."""
    for name, pieces, size in stripped:
        yield tar.header(name, size)
        yield from pieces
        yield tar.padding(size)
    yield tar.END


__all__ = [
    "Candidate",
    "DestinationFailed",
    "PackedFile",
    "ShardResult",
    "SourceFailed",
    "Unread",
    "write_shard",
]
