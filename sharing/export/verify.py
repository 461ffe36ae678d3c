"""What the recipient runs, offline, with nothing but the package and our public key.

From the outside in: the seal's signature, then every file against the seal, then every object
against the manifest. A package may come from anyone: whatever is wrong with it, the answer is a
PackageBroken that names the first path at fault."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sharing.export import envelope, manifest
from sharing.export.contents import Contents, PackageBroken
from sharing.export.layout import (
    DATA_FILES,
    MANIFEST,
    PACKINGS,
    SEAL,
    SUMMARY,
    PackedFile,
    plain_files,
)
from sharing.export.paths import shown, why_unsafe

_LARGEST_JSON = 1 << 30  # bytes; a seal over some millions of files is a few hundred MB
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Verification:
    """A package that holds. `bytes` counts the plain objects, `files` all files but the seal;
    `header` is manifest.json without its list of files; `checked` says in sentences what was
    looked at, and what could not be."""

    objects: int
    bytes: int
    files: int
    subjects: int
    header: dict[str, Any]
    checked: tuple[str, ...]


def verify(
    package: Path,
    key: Ed25519PublicKey,
    age_identity: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Checks a delivered package; raises PackageBroken with the first path that does not hold.

    `age_identity` (`AGE-SECRET-KEY-1...`) opens encrypted objects; without it they are checked as
    delivered. `progress` is told (bytes looked at, bytes in all). ValueError for a bad identity.
    """
    try:
        return _verified(package, key, age_identity, progress)
    except OSError as error:
        path = str(error.filename or package)
        raise PackageBroken(path, f"It cannot be read: {error.strerror or error}.") from None


def _verified(
    package: Path,
    key: Ed25519PublicKey,
    age_identity: str | None,
    progress: Callable[[int, int], None] | None,
) -> Verification:
    digests, predicate = sealed(_bounded(package, SEAL), key)
    sizes = _same_files(package, digests)
    contents = Contents(package, digests, sizes, age_identity, progress)
    for path in sorted(digests):
        if "/" not in path and not path.startswith(DATA_FILES):
            contents.check_whole(path)
    summary = _summary(package, predicate, digests, sizes)
    counts = _against_manifest(package, contents, summary)
    files = len(digests)
    checked = [
        "The seal is signed by this key.",
        f"All {files} files are there, as sealed, and nothing else is.",
        contents.sentence(counts.objects),
    ]
    return Verification(
        objects=counts.objects,
        bytes=counts.bytes,
        files=files,
        subjects=counts.subjects,
        header=predicate,
        checked=tuple(checked),
    )


def sealed(seal: bytes, key: Ed25519PublicKey) -> tuple[dict[str, str], dict[str, Any]]:
    """(sha256 by path, predicate) of a seal, once its signature holds; raises PackageBroken."""
    try:
        statement = envelope.opened(seal, key)
        digests: dict[str, str] = {}
        for subject in statement["subject"]:
            name, digest = subject["name"], subject["digest"]["sha256"]
            if name in digests or name == SEAL or why_unsafe(name) or not _is_sha256(digest):
                raise PackageBroken(SEAL, f"It names a file that cannot be: {shown(str(name))}.")
            digests[name] = digest
        return digests, dict(statement["predicate"])
    except envelope.BadEnvelope as error:
        raise PackageBroken(SEAL, str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise PackageBroken(SEAL, "What is signed is malformed.") from None


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= _HEX


def _bounded(package: Path, name: str) -> bytes:
    file = package / name
    if not package.is_dir():
        raise PackageBroken(str(package), "There is no package here: give its folder.")
    if file.is_symlink() or not file.is_file():
        raise PackageBroken(name, "It is missing, so this package was never released.")
    if file.stat().st_size > _LARGEST_JSON:
        raise PackageBroken(name, f"It is larger than {_LARGEST_JSON:,} bytes.")
    return file.read_bytes()


def _same_files(package: Path, digests: dict[str, str]) -> dict[str, int]:
    """The size of each file, once the folder holds exactly the sealed ones."""
    sizes, besides = plain_files(package)
    missing = sorted(digests.keys() - sizes.keys())
    if missing:
        raise PackageBroken(missing[0], "It is sealed, but missing.")
    extra = sorted([*(sizes.keys() - digests.keys() - {SEAL}), *besides])
    if extra:
        raise PackageBroken(extra[0], "It lies in the package, but is not sealed.")
    return sizes


def _summary(
    package: Path, predicate: dict[str, Any], digests: dict[str, str], sizes: dict[str, int]
) -> dict[str, Any]:
    """manifest.json, once it agrees with what was signed and with the files."""
    if SUMMARY not in digests or MANIFEST not in digests:
        absent = SUMMARY if SUMMARY not in digests else MANIFEST
        raise PackageBroken(absent, "It is not among the sealed files.")
    try:
        summary = json.loads(_bounded(package, SUMMARY))
        files = [PackedFile(**file) for file in summary.pop("files")]
        if summary != predicate:
            raise PackageBroken(SUMMARY, "It does not say what the seal says.")
        if sorted(file.path for file in files) != sorted(digests.keys() - {SUMMARY}):
            raise PackageBroken(SUMMARY, "Its list of files is not that of the seal.")
        for file in files:
            _as_listed(file, digests[file.path], sizes[file.path])
        if summary["packing"] not in PACKINGS or summary["encryption"] not in (None, "age"):
            raise PackageBroken(SUMMARY, "Its packing or encryption is none that we know.")
        return dict(summary)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise PackageBroken(SUMMARY, "It is malformed.") from None


def _as_listed(file: PackedFile, digest: str, size: int) -> None:
    if file.sha256 != digest:
        raise PackageBroken(SUMMARY, f"It is wrong about {shown(file.path)}.")
    if file.bytes != size:
        raise PackageBroken(file.path, f"It has {size} bytes where {file.bytes} were sealed.")


def _against_manifest(
    package: Path, contents: Contents, summary: dict[str, Any]
) -> manifest.Counts:
    file = package / MANIFEST
    try:
        counts = manifest.counts(file)
        if counts._asdict() != summary["counts"]:
            raise PackageBroken(MANIFEST, "It does not add up to the counts in manifest.json.")
        twice = manifest.repeated_object(file)
        if twice:
            raise PackageBroken(MANIFEST, f"The object {shown(twice)} is there twice.")
        contents.check_objects(manifest.rows(file), summary)
        return counts
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise PackageBroken(MANIFEST, f"It is malformed: {error}") from None


__all__ = ["PackageBroken", "Verification", "sealed", "verify"]
