"""Where packages are made and handed over: a folder here, an object store in bucket_depot."""

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.export.bucket import Bucket
from sharing.export.deliver import deliver
from sharing.export.erase import Found, erase, found
from sharing.export.releases import Released, Run
from sharing.export.seal import Sealed, seal
from sharing.export.staging import Staging
from sharing.export.suspects import Watch


class Depot(Protocol):
    """Every step may be repeated: after a crash at any point, the same call ends in the same
    state. All raise DestinationFailed."""

    def attempt(self, export_id: str, shard: int, fence: int) -> Path | Bucket:
        """Where one attempt at a shard writes, and nobody else."""

    def watch(self, export_id: str, shard: int, fence: int, seconds: float) -> Watch:
        """How that attempt is watched for an object that kills, beside what earlier ones left."""

    def sealed(self, run: Run, key: Ed25519PrivateKey) -> Sealed:
        """Puts the package of one attempt at a release together; SealRefused where it cannot."""

    def deliver(self, export_id: str, released: Released) -> Path | Bucket:
        """Hands over what was released, and erases what was staged; gives where it lies."""

    def found(self, export_id: str) -> Found:
        """What an export has staged."""

    def erase(self, export_id: str) -> int:
        """Erases what an export has staged; how many files there were."""


class FolderDepot:
    """Delivery is a rename, as staging lies beside what is delivered."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def attempt(self, export_id: str, shard: int, fence: int) -> Path:
        """The folder of one attempt, made."""
        return Staging(self._root, export_id).attempt(shard, fence)

    def watch(self, export_id: str, shard: int, fence: int, seconds: float) -> Watch:
        """By marks beside the attempts."""
        return Staging(self._root, export_id).watch(shard, fence, seconds)

    def sealed(self, run: Run, key: Ed25519PrivateKey) -> Sealed:
        """Links the committed attempts' files into the package's folder, and seals it."""
        staging = Staging(self._root, run.export_id)
        package = staging.package(run.fence)
        for shard in run.shards:
            staging.gather(
                staging.attempt(shard.result.number, shard.fence),
                package,
                (*(file.path for file in shard.result.files), shard.result.manifest),
            )
        return seal(package, [s.result for s in run.shards], run.header, key)

    def deliver(self, export_id: str, released: Released) -> Path:
        """Renames the package's folder into its place."""
        staging = Staging(self._root, export_id).folder
        destination = self._root / released.partner_id / export_id
        deliver(staging / f"package.{released.fence}", destination, released.envelope.encode())
        erase(staging)
        return destination

    def found(self, export_id: str) -> Found:
        """What is in the export's folder."""
        return found(Staging(self._root, export_id).folder)

    def erase(self, export_id: str) -> int:
        """Erases the export's folder."""
        return erase(Staging(self._root, export_id).folder)
