"""Whether a package holds an object, by its digest."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sharing.export.layout import MANIFEST


def holds(package: Path, sha256: str) -> bool:
    """True if the manifest of a package names an object with this digest. False too where there is
    no manifest that can be read: a package may have been erased since."""
    try:
        with pq.ParquetFile(package / MANIFEST) as manifest:
            return any(
                pc.any(pc.equal(batch["sha256"], sha256)).as_py()
                for batch in manifest.iter_batches(100_000, columns=["sha256"])
            )
    except (OSError, pa.ArrowException):
        return False
