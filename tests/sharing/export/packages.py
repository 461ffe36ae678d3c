"""Packs, seals and delivers small datasets for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.export.deliver import deliver
from sharing.export.pack import ShardResult, write_shard
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.seal import PackageHeader, Sealed, seal
from sharing.export.source import Candidate

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PSEUDONYMS = Pseudonyms(b"a key of thirty-two secret bytes", "partner-1")
CATEGORY = "pd:Picture"

HEADER = PackageHeader(
    request="request-1",
    export="export-1",
    partner="partner-1",
    title="Face matching research",
    purpose="ai:ModelTraining",
    category=CATEGORY,
    digest="1" * 64,
    clearance_digest="2" * 64,
    agreement_digest="3" * 64,
    packing="webdataset",
    excluded={"withdrawn": 3, "unreadable": 1},
    consent_position=12,
    audit_position=34,
    audit_hash="4" * 64,
    created=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    retention_days=365,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A delivered package and what it was made from."""

    folder: Path
    shards: tuple[ShardResult, ...]
    sealed: Sealed


def pack(
    source: Path, staging: Path, number: int, candidates: Sequence[Candidate], **options: Any
) -> ShardResult:
    """`write_shard` with the defaults of these tests."""
    given: dict[str, Any] = {
        "packing": "webdataset",
        "category": CATEGORY,
        "pseudonyms": PSEUDONYMS,
        "age_recipient": None,
        "attempt": "1",
        "progress": None,
    }
    return write_shard(source, staging, number, candidates, **(given | options))


def staged(
    source: Path, staging: Path, candidates: Sequence[Candidate], size: int = 5, **options: Any
) -> tuple[ShardResult, ...]:
    """All candidates, `size` to a shard."""
    return tuple(
        pack(source, staging, number, candidates[start : start + size], **options)
        for number, start in enumerate(range(0, len(candidates), size))
    )


def delivered(
    source: Path,
    home: Path,
    candidates: Sequence[Candidate],
    packing: str = "webdataset",
    age_recipient: str | None = None,
) -> Made:
    """A whole package at `home / "delivered"`."""
    staging, folder = home / "staging", home / "delivered"
    shards = staged(source, staging, candidates, packing=packing, age_recipient=age_recipient)
    sealed = seal(staging, shards, replace(HEADER, packing=packing), KEY)
    deliver(staging, folder, sealed.envelope)
    return Made(folder, shards, sealed)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
