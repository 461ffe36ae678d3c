"""Where tables lie: Parquet in a folder of the store; and what the indexing keeps as Parquet, the
rows of a query or of a table in an object store.

A query's rows are another thing each time it runs. So the indexing takes them once, the declared
columns only, and every shard of every request on that index reads the same ones. Addresses with
passwords stand in a file that only the export worker reads, never in the database."""

import asyncio
import os
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Row, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sharing.errors import Refused
from sharing.export.bucket import Bucket, joined
from sharing.export.destination import writing_to
from sharing.export.paths import shown, why_unsafe
from sharing.export.table_bucket import take
from sharing.offered import Table
from sharing.settings import PREFIX, Settings, SettingsError

SETTING = f"{PREFIX}TABLE_SOURCES"
_DRIVERS = {"postgresql+asyncpg", "sqlite+aiosqlite"}
_PAGE = 5_000
_LOOK = 50_000  # rows by which the kinds of a query's columns are told
_ROWS = "rows.parquet"


@dataclass(frozen=True, slots=True)
class Source:
    """A read-only database and the query whose rows a dataset may be."""

    url: str
    query: str


@dataclass(frozen=True, slots=True)
class Tables:
    """The places of tables, as one export worker knows them."""

    store: Path | Bucket
    snapshots: Path
    sources: Mapping[str, Source]

    def root(self, table: Table, dataset_id: str, index: int) -> Path:
        """The file or folder that holds a table's rows at a version of its dataset's index."""
        lies = self._place(table)
        return lies if isinstance(lies, Path) else self.snapshots / dataset_id / f"{index:06}"

    def _place(self, table: Table) -> Path | Bucket | None:
        """Where Parquet lies, None of a query's rows; raises Refused for what can be nowhere."""
        if table.source is not None:
            return None
        location = table.location or ""
        if "://" in location or isinstance(self.store, Bucket):
            return joined(self.store, location, "the table's location")
        if why := why_unsafe(location):
            raise Refused("bad_index", f"The table's location {shown(location)} {why}.")
        return self.store / location

    async def taken(self, table: Table, dataset_id: str, index: int) -> Path:
        """The same for a version that is being made: what is kept is taken now."""
        lies, root = self._place(table), self.root(table, dataset_id, index)
        names = [table.subject, *(c.name for c in table.read if c.name != table.subject)]
        if isinstance(lies, Bucket):
            await asyncio.to_thread(_emptied, root)
            await asyncio.to_thread(take, lies, names, root)
        elif table.source is not None:
            source = self.sources.get(table.source)
            if source is None:
                known = ", ".join(sorted(self.sources)) or "none"
                raise Refused(
                    "missing_table",
                    f"The export worker knows no source {shown(table.source)}, only: {known}. Name "
                    f"it in the file of {SETTING}.",
                )
            await _take(source, table.source, names, root)
        return root

    def erase_but(self, dataset_id: str, needed: frozenset[int]) -> None:
        """Erases the kept rows of versions that nobody needs any more."""
        folder = self.snapshots / dataset_id
        for kept in folder.iterdir() if folder.is_dir() else ():
            if kept.name.isdecimal() and int(kept.name) not in needed:
                shutil.rmtree(kept)


def tables(settings: Settings, store: Path | Bucket) -> Tables:
    """As the settings say; raises SettingsError for a file that cannot be used."""
    usual = settings.home / "tables"
    if settings.table_sources is None:
        return Tables(store, usual, {})
    try:
        whole = tomllib.loads(settings.table_sources.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise SettingsError(f"{SETTING}: {settings.table_sources}: {failure}.") from None
    kept = whole.pop("snapshots", str(usual))
    if not isinstance(kept, str) or not Path(kept).is_absolute():
        raise SettingsError(f"{SETTING}: snapshots must be the absolute path of a folder.")
    return Tables(store, Path(kept), {name: _source(name, found) for name, found in whole.items()})


def _source(name: str, found: object) -> Source:
    if not isinstance(found, dict) or set(found) != {"url", "query"}:
        raise SettingsError(f"{SETTING}: [{name}] must have `url` and `query`, and nothing else.")
    url, query = found["url"], found["query"]
    try:
        driver = make_url(url).drivername
    except ArgumentError:
        driver = "unknown"
    if driver not in _DRIVERS or not isinstance(query, str) or not query.strip():
        raise SettingsError(
            f"{SETTING}: [{name}] needs a url that begins with one of "
            f"{', '.join(f'{known}://' for known in sorted(_DRIVERS))}, and a query."
        )
    return Source(url, query.strip().rstrip(";"))


async def _take(source: Source, name: str, names: Sequence[str], root: Path) -> None:
    """Writes the declared columns of a query's rows to `root`; nothing else is selected."""
    engine = _engine(source.url)
    quoted = ", ".join(map(engine.dialect.identifier_preparer.quote_identifier, names))
    # The query is the operator's own, from the worker's settings; names are quoted.
    whole = f"SELECT {quoted} FROM ({source.query}) AS declared"  # noqa: S608
    statement = text(whole.replace(":", r"\:"))
    try:
        with writing_to(root):
            await asyncio.to_thread(_emptied, root)
            async with engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    await connection.exec_driver_sql("PRAGMA query_only = ON")
                async with connection.stream(statement) as rows:
                    kept = _Kept(root / _ROWS, names)
                    try:
                        async for page in rows.partitions(_PAGE):
                            kept.add(page)
                    finally:
                        kept.close()
    except (DBAPIError, OSError) as failure:
        cause = getattr(failure, "orig", None) or failure
        raise Refused(
            "missing_table",
            f"The rows of the source {shown(name)} cannot be read: "
            f"{type(cause).__name__}. Look at its address, its query and the declared columns.",
        ) from None
    finally:
        await engine.dispose()


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)


def _engine(url: str) -> AsyncEngine:
    """An engine that only reads, whatever the rights of the account are."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite"):
        named = f"file:{parsed.database}?mode=ro&uri=true"
        return create_async_engine(f"{parsed.drivername}:///{named}")
    return create_async_engine(parsed, execution_options={"postgresql_readonly": True})


class _Kept:
    """Rows on the way into a Parquet file; the first of them tell the columns' kinds."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self._file, self._names = file, names
        self._first: list[Row[Any]] | None = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, page: Sequence[Row[Any]]) -> None:
        """Takes the next rows."""
        if self._first is None:
            self._write(page)
            return
        self._first.extend(page)
        if len(self._first) >= _LOOK:
            self._begin()

    def close(self) -> None:
        """Writes what is left; a table without a row has columns all the same."""
        if self._first is not None:
            self._begin()
        if self._writer is not None:
            self._writer.close()

    def _begin(self) -> None:
        page, self._first = self._first or [], None
        columns = [self._column(i, page, None) for i in range(len(self._names))]
        known = [pa.string() if pa.types.is_null(c.type) else c.type for c in columns]
        schema = pa.schema(list(zip(self._names, known, strict=True)))
        out = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._writer = pq.ParquetWriter(os.fdopen(out, "wb"), schema, compression="zstd")
        self._write(page)

    def _write(self, page: Sequence[Row[Any]]) -> None:
        if self._writer is None:
            return
        schema = self._writer.schema
        columns = [self._column(i, page, field.type) for i, field in enumerate(schema)]
        self._writer.write_table(pa.table(columns, schema=schema))

    def _column(self, place: int, page: Sequence[Row[Any]], kind: pa.DataType | None) -> pa.Array:
        try:
            return pa.array([_plain(row[place]) for row in page], kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise Refused(
                "bad_index",
                f"The column {shown(self._names[place])} of the query holds values of different "
                "kinds, or of one that cannot be given: cast it in the query.",
            ) from None


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return float(value) if isinstance(value, Decimal) else value


__all__ = ["Source", "Tables", "tables"]
