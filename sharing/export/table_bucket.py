"""Takes a table out of an object store when its dataset is indexed.

Only the declared columns are kept, as Parquet in a folder of the export worker, so that every shard
of every request on that index reads the same rows, and nothing that was not declared lies there."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from obstore.exceptions import PreconditionError

from sharing.errors import NotYet, Refused
from sharing.export.bucket import Bucket
from sharing.export.bucket_index import asking
from sharing.export.destination import writing_to
from sharing.export.paths import shown, why_unsafe
from sharing.export.table import batches, kinds_of

PART = 16 << 20
ENDING = ".parquet"
_ALONE = "rows.parquet"


def take(place: Bucket, columns: Sequence[str], folder: Path) -> None:
    """Writes these columns of the table at `place`, an object or all Parquet directly below it, to
    an empty `folder`. Raises Refused, and NotYet where the store does not answer now or the table
    is just being written."""
    with asking(place, "missing_table"), writing_to(folder):
        for name, key, meta in _objects(place):
            with tempfile.TemporaryFile(dir=folder) as whole:
                _fetch(place, key, meta, whole)
                _keep(whole, name, columns, folder / (name or _ALONE))


def _objects(place: Bucket) -> list[tuple[str, str, Any]]:
    """(name, key, metadata) of each object of the table, in the order of their names; the name of
    an object that is the whole table is empty."""
    if place.prefix:
        try:
            return [("", place.prefix, place.store().head(place.prefix))]
        except FileNotFoundError:
            pass  # then it is a folder, or the bucket is not there, which listing it tells
    found = sorted(
        (meta["path"], place.key(meta["path"]), meta)
        for meta in place.listed()
        if meta["path"].endswith(ENDING) and "/" not in meta["path"] and meta["path"][0] != "."
    )
    for name, _, _ in found:
        if why := why_unsafe(name):
            raise Refused("bad_index", f"{shown(name)} in the table's folder {why}.")
    if not found:
        raise Refused(
            "missing_table", f"There is no Parquet file at {place}: check the table's location."
        )
    return found


def _fetch(place: Bucket, key: str, meta: Any, whole: IO[bytes]) -> None:
    options: Any = {"if_match": meta["e_tag"]} if meta["e_tag"] else {}
    try:
        for chunk in place.store().get(key, options=options).stream(PART):
            whole.write(memoryview(chunk))
    except PreconditionError:
        raise NotYet(
            "table_changed", f"The table {shown(key)} was just written anew: index it again."
        ) from None


def _keep(whole: IO[bytes], name: str, columns: Sequence[str], kept: Path) -> None:
    try:
        with pq.ParquetFile(whole) as parquet:
            kinds_of(parquet.schema_arrow, columns)
            schema = pa.schema([parquet.schema_arrow.field(column) for column in columns])
            with pq.ParquetWriter(kept, schema, compression="zstd") as writer:
                for _, batch in batches(parquet, columns):
                    writer.write_table(pa.Table.from_batches([batch]).select(list(columns)))
    except pa.ArrowException as error:
        what = f"file {shown(name)}" if name else "file"
        raise Refused("bad_index", f"The table's {what} cannot be read: {error}") from None
