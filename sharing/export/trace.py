"""Whether a package holds an object, by its digest."""

from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from obstore.exceptions import BaseError

from sharing.export.bucket import Bucket
from sharing.export.layout import MANIFEST


def holds(package: Path | Bucket, sha256: str) -> bool:
    """True if the manifest of a package names an object with this digest. False too where there is
    no manifest that can be read: a package may have been erased since."""
    try:
        with pq.ParquetFile(_manifest(package)) as manifest:
            return any(
                pc.any(pc.equal(batch["sha256"], sha256)).as_py()
                for batch in manifest.iter_batches(100_000, columns=["sha256"])
            )
    except (OSError, BaseError, pa.ArrowException):
        return False


def _manifest(package: Path | Bucket) -> Any:
    if isinstance(package, Path):
        return package / MANIFEST
    return obstore.open_reader(package.store(), package.key(MANIFEST))
