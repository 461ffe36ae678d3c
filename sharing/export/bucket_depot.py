"""Packages in an object store. Shards are packed into a folder of this machine first, then put
whole; nothing is renamed there, so delivery is a copy that the store makes by itself, and a package
is one as soon as its seal lies beside it, which goes last."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.export import shipping
from sharing.export.bucket import Bucket, place, sending_to
from sharing.export.depot import Depot, FolderDepot
from sharing.export.destination import DestinationFailed
from sharing.export.erase import Found, erase
from sharing.export.layout import CROISSANT, MANIFEST, SEAL, SUMMARY, PackedFile
from sharing.export.pack import Candidate, ShardResult, write_shard
from sharing.export.releases import Released, Run
from sharing.export.scratch import scratch, sweep
from sharing.export.seal import Sealed, SealRefused, seal
from sharing.export.staging import STAGING, Staging
from sharing.export.suspects import Watch

SOURCES = ".sources.json"  # in staging alone: for each file of the package, where it is staged
_ADDED = (MANIFEST, CROISSANT, SUMMARY)


def depot_at(url: str, name: str) -> Depot:
    """The depot that a setting names; raises Refused where it names none."""
    root = place(url, name)
    if isinstance(root, Path):
        return FolderDepot(root)
    sweep()
    return BucketDepot(root)


def write(
    source: Path | Bucket,
    staging: Path | Bucket,
    number: int,
    candidates: Sequence[Candidate],
    **named: Any,
) -> ShardResult:
    """`write_shard`, also for an attempt that is staged in an object store."""
    if isinstance(staging, Path):
        return write_shard(source, staging, number, candidates, **named)
    with scratch() as folder:
        packed = write_shard(source, folder, number, candidates, **named)
        part = folder / packed.manifest
        described = PackedFile(packed.manifest, part.stat().st_size, packed.manifest_sha256)
        shipping.send_files(staging, folder, [*packed.files, described])
    return packed


def sealed_by(depot: Depot, run: Run, key: bytes) -> Sealed:
    """`depot.sealed` in a packing process, to which a key crosses as its 32 bytes. It counts the
    whole manifest: that memory is none of the worker's, which plans other exports meanwhile."""
    return depot.sealed(run, Ed25519PrivateKey.from_private_bytes(key))


class BucketDepot:
    """Keys begin with `.staging/<export>/` until delivery, with `<partner>/<export>/` after it."""

    def __init__(self, root: Bucket) -> None:
        self._root = root

    def attempt(self, export_id: str, shard: int, fence: int) -> Bucket:
        """The fence is in every key: a superseded attempt writes where nobody reads."""
        return self._staged(export_id) / _attempt(shard, fence)

    def watch(self, export_id: str, shard: int, fence: int, seconds: float) -> Watch:
        """By marks on this machine: a process that dies here is seen here."""
        return self._marks(export_id).watch(shard, fence, seconds)

    def sealed(self, run: Run, key: Ed25519PrivateKey) -> Sealed:
        """Seals what is staged, by its sizes and the manifests' parts; the data stays there."""
        staging = self._staged(run.export_id)
        present, sources = self._gathered(staging, run)
        with scratch() as folder:
            for shard in run.shards:
                file = folder / shard.result.manifest
                file.parent.mkdir(exist_ok=True)
                origin = staging / _attempt(shard.result.number, shard.fence)
                file.write_bytes(_fetched(origin, shard.result.manifest))
            results = [shard.result for shard in run.shards]
            sealed = seal(folder, results, run.header, key, present)
            package = f"package.{run.fence}"
            added = [_described(folder, name) for name in _ADDED if (folder / name).exists()]
            shipping.send_files(staging / package, folder, added)
            sources |= {file.path: (f"{package}/{file.path}", file.bytes) for file in added}
            shipping.send_bytes(staging / package, SOURCES, json.dumps(sources).encode())
        return sealed

    def _gathered(
        self, staging: Bucket, run: Run
    ) -> tuple[dict[str, int], dict[str, tuple[str, int]]]:
        """(size of each staged data file by its path in the package, and where it is staged)."""
        with sending_to(staging):
            sizes = {meta["path"]: int(meta["size"]) for meta in staging.listed()}
        present: dict[str, int] = {}
        sources: dict[str, tuple[str, int]] = {}
        for shard in run.shards:
            for file in shard.result.files:
                origin = f"{_attempt(shard.result.number, shard.fence)}/{file.path}"
                if origin in sizes:
                    present[file.path] = sizes[origin]
                    sources[file.path] = origin, sizes[origin]
        return present, sources

    def deliver(self, export_id: str, released: Released) -> Bucket:
        """Copies the package to its place, the seal last. What an earlier call copied stays."""
        staging = self._staged(export_id)
        destination = self._root / released.partner_id / export_id
        envelope = released.envelope.encode()
        there = _sizes(destination)
        if SEAL in there:
            if _fetched(destination, SEAL) != envelope:
                raise _something_else(destination)
        else:
            sources = _sources(staging / f"package.{released.fence}")
            if there.keys() - sources.keys():
                raise _something_else(destination)
            self._copied(staging, destination, sources, there)
            shipping.send_bytes(destination, SEAL, envelope)
        self.erase(export_id)
        sweep()  # what a packing process left that died after the last worker's start
        return destination

    def _copied(
        self,
        staging: Bucket,
        destination: Bucket,
        sources: Mapping[str, tuple[str, int]],
        there: Mapping[str, int],
    ) -> None:
        # Objects appear whole or not at all, and nobody else writes these names.
        absent = {path: origin for path, origin in sources.items() if path not in there}
        shipping.copy(staging, destination, absent)
        found = _sizes(destination)
        for path, (_, size) in sources.items():
            if found.get(path) != size:
                raise DestinationFailed(
                    "destination_failed",
                    f"{destination}/{path} has {found.get(path)} bytes where {size} were sealed: "
                    "move it away, then retry.",
                )

    def found(self, export_id: str) -> Found:
        """What lies below the export's staging."""
        sizes = _sizes(self._staged(export_id)).values()
        return Found(len(sizes), sum(sizes))

    def erase(self, export_id: str) -> int:
        """Erases every key of the export's staging."""
        erase(self._marks(export_id).folder)
        return shipping.erase(self._staged(export_id))

    def _marks(self, export_id: str) -> Staging:
        return Staging(Path(tempfile.gettempdir()) / "clearance-marks", export_id)

    def _staged(self, export_id: str) -> Bucket:
        return self._root / STAGING / export_id


def _attempt(shard: int, fence: int) -> str:
    return f"shard-{shard:05}.{fence}"


def _described(folder: Path, name: str) -> PackedFile:
    data = (folder / name).read_bytes()
    return PackedFile(name, len(data), shipping.digest(data))


def _sizes(place: Bucket) -> dict[str, int]:
    with sending_to(place):
        return {meta["path"]: int(meta["size"]) for meta in place.listed()}


def _fetched(place: Bucket, path: str) -> bytes:
    """A small object, whole. SealRefused where it is not there."""
    with sending_to(place):
        try:
            return bytes(place.store().get(place.key(path)).bytes())
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise
            raise SealRefused(f"{path} is missing or is not the part that was recorded.") from None


def _sources(package: Bucket) -> dict[str, tuple[str, int]]:
    try:
        named: dict[str, tuple[str, int]] = json.loads(_fetched(package, SOURCES))
    except SealRefused:
        raise DestinationFailed(
            "destination_failed",
            f"The package is neither at {package} nor delivered: export it again.",
        ) from None
    return named


def _something_else(destination: Bucket) -> DestinationFailed:
    return DestinationFailed(
        "destination_failed", f"Something else lies at {destination}: move it away, then retry."
    )
