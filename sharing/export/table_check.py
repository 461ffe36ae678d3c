"""The rows of a delivered Parquet file against the manifest, one by one."""

from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO

import pyarrow as pa

from sharing.export.broken import PackageBroken
from sharing.export.columns import records
from sharing.export.manifest import Row


class TableCheck:
    """Takes the plain bytes of a file of rows; what they say is compared once they are all there:
    Parquet begins at its end."""

    def __init__(self, path: str, rows: Sequence[Row], names: Sequence[str]) -> None:
        self._path = path
        self._rows = rows
        self._names = names
        self._data = BytesIO()

    def write(self, data: bytes) -> int:
        """Takes the next bytes."""
        return self._data.write(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def end(self) -> None:
        """Compares every row, in order; the file has no more and no fewer."""
        expected = [(row.path, row.subject_pseudonym, row.bytes, row.sha256) for row in self._rows]
        try:
            found = [
                (key, subject, len(told), sha256(told).hexdigest())
                for key, subject, told in records(self._data.getvalue(), self._names)
            ]
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise PackageBroken(self._path, f"It cannot be read: {error}.") from None
        if found != expected:
            raise PackageBroken(self._path, "Its rows are not those that the manifest describes.")
