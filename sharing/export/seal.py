"""Seals a package: looks at all of it once more, adds its manifest, and signs.

The seal is returned, not written: the release transaction commits it first, and only then does
`deliver` put it where the partner finds it. Sealing again gives the same bytes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.export import croissant, envelope, manifest
from sharing.export.destination import erase_tree, replace_durably, sync_folder, writing_to
from sharing.export.layout import (
    CROISSANT,
    MANIFEST,
    OBJECTS,
    SEAL,
    SUMMARY,
    TABLE,
    WORK,
    PackedFile,
    plain_files,
)
from sharing.export.pack import ShardResult
from sharing.offered import Asked

VERSION = 1

_WRITTEN_HERE = frozenset((MANIFEST, SUMMARY, CROISSANT, SEAL))


class SealRefused(Exception):
    """What is staged is not what was recorded; the text names the first file that differs."""


@dataclass(frozen=True, slots=True)
class PackageHeader:
    """What a package says about itself. Digests are hexadecimal sha256; `created` is UTC."""

    request: str
    export: str
    partner: str
    title: str
    purpose: str
    category: str
    digest: str
    clearance_digest: str
    agreement_digest: str
    packing: str
    excluded: dict[str, int]
    consent_position: int
    audit_position: int
    audit_hash: str
    created: datetime
    retention_days: int
    canaries: bool = False  # that there are some, not which
    fields: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A package that is ready. `bytes` counts the plain objects, `files` all files but the seal."""

    envelope: bytes
    manifest_sha256: str
    objects: int
    bytes: int
    files: int


def seal(
    staging: Path,
    shards: Sequence[ShardResult],
    header: PackageHeader,
    key: Ed25519PrivateKey,
    elsewhere: Mapping[str, int] | None = None,
) -> Sealed:
    """Checks what is staged against `shards`, completes the package and signs it. `elsewhere`: the
    sizes of files that are staged in an object store, by their paths in the package.

    Raises SealRefused where anything is missing, different, twice or extra, and
    DestinationFailed where the rest cannot be written.
    """
    ordered = sorted(shards, key=lambda shard: shard.number)
    with writing_to(staging):
        # What superseded attempts left; one of them that wakes up now has nothing to publish.
        erase_tree(staging / WORK)
        _drop_if_empty(staging / OBJECTS)
        _check_staged(staging, ordered, elsewhere or {})
        manifest_file = _write_manifest(staging, ordered)
        counts = manifest.counts(staging / MANIFEST)
        _check_counts(staging, ordered, counts)
        files = [file for shard in ordered for file in shard.files]
        added = [manifest_file]
        if header.packing != OBJECTS:
            text = _croissant(header, manifest_file, files)
            added.append(_write(staging, CROISSANT, text))
        summary = _summary(header, counts, [*files, *added])
        added.append(_write(staging, SUMMARY, _json(summary)))
        erase_tree(staging / WORK)
        sync_folder(staging)
    everything = sorted([*files, *added], key=lambda file: file.path)
    return Sealed(
        envelope=envelope.signed(
            [(file.path, file.sha256) for file in everything], _predicate(summary), key
        ),
        manifest_sha256=manifest_file.sha256,
        objects=counts.objects,
        bytes=counts.bytes,
        files=len(everything),
    )


def _check_staged(
    staging: Path, shards: Sequence[ShardResult], elsewhere: Mapping[str, int]
) -> None:
    expected = {file.path: file.bytes for shard in shards for file in shard.files}
    parts = {shard.manifest: shard.manifest_sha256 for shard in shards}
    if len({shard.number for shard in shards}) != len(shards):
        raise SealRefused("Two shards have the same number.")
    sizes, besides = plain_files(staging)
    sizes |= elsewhere
    for path, size in expected.items():
        if sizes.get(path) != size:
            raise SealRefused(_differs(path, size, sizes.get(path)))
    for path, digest in parts.items():
        if path not in sizes or _sha256(staging / path) != digest:
            raise SealRefused(f"{path} is missing or is not the part that was recorded.")
    extra = sorted(sizes.keys() - expected.keys() - parts.keys() - _WRITTEN_HERE)
    if extra or besides:
        raise SealRefused(f"{[*extra, *besides][0]} is staged, but belongs to no recorded shard.")


def _drop_if_empty(folder: Path) -> None:
    """A folder whose every shard turned out empty would otherwise be an extra in the package."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _differs(path: str, recorded: int, found: int | None) -> str:
    if found is None:
        return f"{path} is missing: pack that shard again."
    return f"{path} has {found} bytes where {recorded} were recorded: pack that shard again."


def _check_counts(staging: Path, shards: Sequence[ShardResult], counts: manifest.Counts) -> None:
    objects, size = sum(s.objects for s in shards), sum(s.bytes for s in shards)
    if (objects, size) != (counts.objects, counts.bytes):
        raise SealRefused(
            f"The manifest adds up to {counts.objects} objects and {counts.bytes} bytes, the "
            f"recorded shards to {objects} and {size}."
        )
    twice = manifest.repeated_object(staging / MANIFEST)
    if twice:
        raise SealRefused(f"The object {twice} is in the manifest twice.")


def _write_manifest(staging: Path, shards: Sequence[ShardResult]) -> PackedFile:
    work = staging / WORK
    work.mkdir(exist_ok=True)
    temporary = work / MANIFEST
    manifest.concatenate([staging / shard.manifest for shard in shards], temporary)
    written = PackedFile(MANIFEST, temporary.stat().st_size, _sha256(temporary))
    temporary.replace(staging / MANIFEST)
    return written


def _write(staging: Path, name: str, data: bytes) -> PackedFile:
    replace_durably(staging / name, data, staging / WORK)
    return PackedFile(name, len(data), sha256(data).hexdigest())


def _croissant(
    header: PackageHeader, manifest_file: PackedFile, shards: Sequence[PackedFile]
) -> bytes:
    return croissant.described(
        title=header.title,
        purpose=header.purpose,
        export=header.export,
        agreement_digest=header.agreement_digest,
        date=header.created.astimezone(UTC).date().isoformat(),
        manifest_sha256=manifest_file.sha256,
        shards=shards,
        fields=header.fields,
        photos=header.packing != TABLE,
    )


def _summary(
    header: PackageHeader, counts: manifest.Counts, files: Sequence[PackedFile]
) -> dict[str, Any]:
    encrypted = any(file.path.endswith(".age") for file in files)
    created = header.created.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "version": VERSION,
        "request": header.request,
        "export": header.export,
        "partner": header.partner,
        "title": header.title,
        "purpose": header.purpose,
        "category": header.category,
        "fields": [
            {"name": field.name, "form": str(field.form), "category": field.category}
            for field in header.fields
        ],
        "digest": header.digest,
        "clearance_digest": header.clearance_digest,
        "agreement": {"digest": header.agreement_digest, "retention_days": header.retention_days},
        "created": created,
        "packing": header.packing,
        "encryption": "age" if encrypted else None,
        "counts": counts._asdict(),
        "canaries": header.canaries,
        "excluded": dict(sorted(header.excluded.items())),
        "consent_position": header.consent_position,
        "audit": {"position": header.audit_position, "hash": header.audit_hash},
        "files": [
            {"path": file.path, "bytes": file.bytes, "sha256": file.sha256}
            for file in sorted(files, key=lambda file: file.path)
        ],
    }


def _predicate(summary: dict[str, Any]) -> dict[str, Any]:
    """What the signature says in its own words: all of the summary but the list of files."""
    return {name: value for name, value in summary.items() if name != "files"}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
