"""Packs one shard: reads, strips, hashes and writes its objects, and makes it visible in one step.

Everything is written in `.work/<shard>/<attempt>` and renamed when it is whole and on the disk. An
attempt that begins sweeps away what earlier ones left there, so that one that was superseded, and
wakes up, finds its files gone and publishes nothing."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from pathlib import Path

from sharing.export import manifest, tar
from sharing.export.columns import Columns, TableObjects, record
from sharing.export.destination import (
    DestinationFailed,
    erase_tree,
    sync_files,
    sync_folder,
    write_durably,
    writing_to,
)
from sharing.export.layout import JSON_TYPE, OBJECTS, PACKINGS, PARTS, WORK, PackedFile
from sharing.export.minimise import Unreadable, minimise
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.shard_file import Piece, ShardFile, encrypted, write_encrypted
from sharing.export.source import Candidate, SourceFailed, Unread, read

_EXTENSION = ".jpg"  # minimise lets nothing else through
_BESIDE = ".json"
_REPORT_EVERY = 32


@dataclass(frozen=True, slots=True)
class ShardResult:
    """One packed shard. `bytes` counts the plain objects; `manifest` is the part's path."""

    number: int
    files: tuple[PackedFile, ...]
    objects: int
    bytes: int
    manifest: str
    manifest_sha256: str
    unread: tuple[Unread, ...]


def write_shard(
    source: Path,
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
    columns: Columns | None = None,
) -> ShardResult:
    """Writes shard `number` of a package into `staging`.

    Objects are ordered by pseudonym, so that their order says nothing about the subjects' names.
    `columns` are what is taken from the dataset's table, beside the photographs or alone.
    `progress` is told (objects, bytes) as they pass and may raise to stop. Raises
    DestinationFailed or SourceFailed, and then nothing of this attempt is visible. The same
    candidates always give the same bytes, except under age, which draws a new key for each file.
    """
    if packing not in PACKINGS:
        raise ValueError(f"packing is one of {', '.join(PACKINGS)}, not {packing!r}")
    with writing_to(staging):
        shard = _Shard(staging, number, packing, age_recipient, attempt)
        try:
            objects: _Objects | TableObjects
            if columns is not None and columns.alone:
                objects = TableObjects(columns, candidates, pseudonyms, shard.name)
                files = shard.write_table(objects)
            else:
                objects = _Objects(source, candidates, category, pseudonyms, progress, columns)
                files = shard.write(objects)
            part = manifest.encoded(objects.rows)
            shard.publish(part)
        except FileNotFoundError:
            raise shard.superseded() from None
        finally:
            shutil.rmtree(shard.work, ignore_errors=True)
    return ShardResult(
        number=number,
        files=files,
        objects=objects.objects,
        bytes=objects.bytes,
        manifest=shard.part,
        manifest_sha256=sha256(part).hexdigest(),
        unread=tuple(objects.unread),
    )


class _Objects:
    """The stripped objects of a shard, one by one, and the rows that describe them."""

    def __init__(
        self,
        source: Path,
        candidates: Sequence[Candidate],
        category: str,
        pseudonyms: Pseudonyms,
        progress: Callable[[int, int], None] | None,
        columns: Columns | None = None,
    ) -> None:
        self.objects = 0
        self.rows: list[manifest.Row] = []
        self.unread: list[Unread] = []
        self.bytes = 0
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

    def stripped(self, folder: str, shard: str) -> Iterator[tuple[str, list[Piece], int]]:
        """(file name, pieces, bytes) of each object that can be exported."""
        done = 0
        for name, (candidate, data) in zip(self._names, self._read, strict=True):
            done += 1
            if self._progress is not None and done % _REPORT_EVERY == 0:
                self._progress(done, self.bytes)
            parts = self._parts(candidate, data)
            if isinstance(parts, Unread):
                self.unread.append(parts)
                continue
            self.objects += 1
            for extension, part in sorted(parts.items()):  # as the manifest orders them
                size = self._add(folder + name + extension, shard, candidate, part)
                yield name + extension, part, size
        if self._progress is not None:
            self._progress(done, self.bytes)

    def _parts(
        self, candidate: Candidate, data: bytes | Unread | None
    ) -> dict[str, list[Piece]] | Unread:
        """What is delivered of an object, by extension: its photograph, its columns, or both; or
        why nothing is."""
        parts: dict[str, list[Piece]] = {}
        if isinstance(data, Unread):
            return data
        if self._columns is not None:
            values = self._beside[candidate.path]
            if isinstance(values, Unread):
                return values
            names = [field.name for field in self._columns.fields]
            parts[_BESIDE] = [record(names, values)]
        if data is not None:
            try:
                parts[_EXTENSION] = minimise(data, candidate.media_type)
            except Unreadable as why:
                return Unread(candidate.path, why.detail)
        return parts

    def _add(self, path: str, shard: str, candidate: Candidate, pieces: list[Piece]) -> int:
        digest, size = sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
        self.bytes += size
        columns = self._columns if path.endswith(_BESIDE) else None
        self.rows.append(
            manifest.Row(
                path=path,
                shard=shard,
                bytes=size,
                sha256=digest.hexdigest(),
                subject_pseudonym=self._pseudonyms.subject(candidate.subject),
                category=columns.category if columns else self._category,
                consent_position=candidate.consent_position,
                media_type=JSON_TYPE if columns else candidate.media_type,
            )
        )
        return size


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
        self._single = packing != OBJECTS
        kind = f"shard-{number:05}.tar" if self._tar else f"table-{number:05}.parquet"
        self._name = self.name = kind if self._single else f"{OBJECTS}/{number:05}"
        # What is delivered: one file, or one folder. Either is renamed into place in one step.
        self._data = staging / (self._name + self._suffix if self._single else self._name)
        earlier = staging / WORK / f"{number:05}"
        erase_tree(earlier)
        self.work = earlier / sha256(attempt.encode()).hexdigest()[:16]
        self.work.mkdir(parents=True)
        (staging / PARTS).mkdir(exist_ok=True)
        self._data.parent.mkdir(exist_ok=True)

    def write(self, objects: _Objects) -> tuple[PackedFile, ...]:
        """Writes the objects where nobody sees them yet."""
        return self._write_tar(objects) if self._tar else self._write_objects(objects)

    def write_table(self, objects: TableObjects) -> tuple[PackedFile, ...]:
        """The same of the rows of a table."""
        return self._write_file(objects, iter([objects.parquet()]))

    def _write_tar(self, objects: _Objects) -> tuple[PackedFile, ...]:
        return self._write_file(objects, _members(objects.stripped("", self._name)))

    def _write_file(
        self, objects: _Objects | TableObjects, pieces: Iterator[Piece]
    ) -> tuple[PackedFile, ...]:
        with ShardFile(self.work / "data") as file:
            if self._age:
                write_encrypted(file, pieces, self._age)
            else:
                for piece in pieces:
                    file.write(piece)
        if not objects.rows:
            (self.work / "data").unlink()
            return ()
        return (PackedFile(self._data.name, file.bytes, file.sha256),)

    def _write_objects(self, objects: _Objects) -> tuple[PackedFile, ...]:
        folder = self.work / "data"
        folder.mkdir()
        files = []
        for name, pieces, _ in objects.stripped(f"{self._name}/", self._name):
            data, digest = b"".join(pieces), objects.rows[-1].sha256
            if self._age:
                data = encrypted(data, self._age)
                digest = sha256(data).hexdigest()
            (folder / (name + self._suffix)).write_bytes(data)
            files.append(PackedFile(f"{self._name}/{name}{self._suffix}", len(data), digest))
        sync_files(folder)
        if not files:
            folder.rmdir()
        return tuple(files)

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


def _members(stripped: Iterator[tuple[str, list[Piece], int]]) -> Iterator[Piece]:
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
