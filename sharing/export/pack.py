"""Packs one shard: reads, strips, hashes and writes its objects, and makes it visible in one step.

Everything is written in `.work/<shard>/<attempt>` and renamed when it is whole and on the disk. An
attempt that begins sweeps away what earlier ones left there, so that one that was superseded, and
wakes up, finds its files gone and publishes nothing."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sharing.export import manifest, tar
from sharing.export.bucket import Bucket
from sharing.export.columns import Columns, TableObjects
from sharing.export.destination import (
    DestinationFailed,
    erase_tree,
    sync_files,
    sync_folder,
    write_durably,
    writing_to,
)
from sharing.export.layout import OBJECTS, PACKINGS, PARTS, WORK, PackedFile
from sharing.export.objects import Objects
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.shard_file import Piece, ShardFile, encrypted, write_encrypted
from sharing.export.source import Candidate, SourceFailed, Unread
from sharing.export.stopwatch import Step, Stopwatch
from sharing.export.suspects import InHand, Watch

if TYPE_CHECKING:
    from sharing.export.canary import Planted

_AT_ONCE = 8 * 1024 * 1024  # bytes; a larger object is written, and encrypted, as it is read


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
    columns: Columns | None = None,
) -> ShardResult:
    """Writes shard `number` of a package into `staging`.

    Objects are ordered by pseudonym, so that their order says nothing about the subjects' names.
    `columns` are what is taken from the dataset's table, beside the photographs or alone.
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
            objects: Objects | TableObjects
            if columns is not None and columns.alone:
                objects = TableObjects(columns, candidates, pseudonyms, shard.name)
                files = shard.write_table(objects)
            else:
                objects = Objects(
                    source,
                    candidates,
                    category,
                    pseudonyms,
                    columns,
                    planted,
                    progress=progress,
                    clock=clock,
                    hand=hand,
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
        objects=objects.objects,
        bytes=objects.bytes,
        manifest=shard.part,
        manifest_sha256=sha256(part).hexdigest(),
        unread=tuple(objects.unread),
        stages=clock.microseconds(),
    )


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

    def write(self, objects: Objects) -> tuple[PackedFile, ...]:
        """Writes the objects where nobody sees them yet."""
        return self._write_tar(objects) if self._tar else self._write_objects(objects)

    def write_table(self, objects: TableObjects) -> tuple[PackedFile, ...]:
        """The same of the rows of a table."""
        return self._write_file(objects, iter([objects.parquet()]))

    def _write_tar(self, objects: Objects) -> tuple[PackedFile, ...]:
        return self._write_file(objects, _members(objects.stripped("", self.name)))

    def _write_file(
        self, objects: Objects | TableObjects, pieces: Iterator[Piece]
    ) -> tuple[PackedFile, ...]:
        written = self._write(self.work / "data", pieces)
        if not objects.rows:
            (self.work / "data").unlink()
            return ()
        return (PackedFile(self._data.name, *written),)

    def _write_objects(self, objects: Objects) -> tuple[PackedFile, ...]:
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
