"""The scan of a dataset into a new version of its index."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import islice

from temporalio import activity

from sharing.errors import NotFound, Refused
from sharing.export import bucket_index, table_index
from sharing.export.bucket import Bucket, joined, place
from sharing.export.bucket_index import Known
from sharing.export.index import IndexedObject, scan
from sharing.export.table_sources import tables
from sharing.offered import table_of
from sharing.records import datasets, scopes
from sharing.records.database import Database
from sharing.records.datasets import Dataset
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.pulse import beating

ROWS = 5000


class Indexing:
    """Reads where datasets lie: only the export worker can."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._store = place(settings.store_url, "CLEARANCE_STORE_URL")
        self._tables = tables(settings, self._store)

    @activity.defn
    async def index_dataset(self, dataset_id: str) -> None:
        """Writes a new version beside the current one, then makes it current in one step. Each
        attempt has a version of its own: one that was given up, and is not dead, never mixes its
        objects into another's, nor into a version that requests name already."""
        dataset = await self._database.read(lambda s: s.get(Dataset, dataset_id))
        if dataset is None:
            raise NotFound("dataset", dataset_id)
        version = dataset.index_version + activity.info().attempt
        await self._database.write(lambda u: datasets.discard_index(u.session, dataset_id, version))
        async with beating():
            found = await self._found(dataset, version)
            await self._append(dataset, version, found)
            needed = await self._database.write(lambda u: _publish(u, dataset_id, version))
            await asyncio.to_thread(self._tables.erase_but, dataset_id, needed)

    async def _found(self, dataset: Dataset, version: int) -> Iterator[IndexedObject]:
        """The dataset's objects: photographs, each with its subject's row where there is a table,
        or the rows themselves."""
        table = table_of(dataset.tabular)
        if table is None:
            return self._photos(dataset)
        root = await self._tables.taken(table, dataset.id, version)
        files = await asyncio.to_thread(table_index.files_of, root)
        await asyncio.to_thread(table_index.check_columns, root, files, table)
        await self._database.write(
            lambda u: datasets.keep_tables(u.session, dataset.id, version, map(asdict, files))
        )
        if not dataset.location:
            return table_index.objects(root, files, table)
        subjects = await asyncio.to_thread(table_index.subjects_of, root, files, table)
        return (replace(one, row=subjects.row(one.subject)) for one in self._photos(dataset))

    async def _append(self, dataset: Dataset, version: int, found: Iterator[IndexedObject]) -> None:
        position = 0
        while page := await asyncio.to_thread(lambda: list(islice(found, ROWS))):
            rows = [
                {
                    "dataset_id": dataset.id,
                    "index_version": version,
                    "position": position + i,
                    **asdict(item),
                }
                for i, item in enumerate(page)
            ]
            await self._database.write(
                lambda u, rows=rows: datasets.append_objects(u.session, rows)  # type: ignore[misc]
            )
            position += len(page)
        if position == 0:
            raise Refused(
                "nothing_indexed",
                f"No photos were found in {dataset.location!r} that match {dataset.subject_from!r}."
                if dataset.location
                else "The table has no row.",
            )

    def _photos(self, dataset: Dataset) -> Iterator[IndexedObject]:
        where = joined(self._store, dataset.location, "location")
        if isinstance(where, Bucket):
            known = self._known(dataset, asyncio.get_running_loop())
            return bucket_index.scan(where, dataset.subject_from, known)
        return scan(str(where), dataset.subject_from)

    def _known(self, dataset: Dataset, loop: asyncio.AbstractEventLoop) -> Iterator[Known]:
        """The index as it is now, in order, asked for page by page from the scan's thread."""
        first = 0
        while True:
            page = self._database.read(
                partial(
                    datasets.index_rows,
                    dataset_id=dataset.id,
                    index=dataset.index_version,
                    first=first,
                    count=ROWS,
                )
            )
            rows = asyncio.run_coroutine_threadsafe(page, loop).result()
            yield from (Known(*row) for row in rows)
            if len(rows) < ROWS:
                return
            first += ROWS


def _publish(unit: Unit, dataset_id: str, version: int) -> frozenset[int]:
    """Makes a version the current one; returns those that are still needed: also the one before,
    which a request may name that is on its way here."""
    before = unit.session.get_one(Dataset, dataset_id).index_version
    dataset = datasets.publish_index(unit.session, dataset_id, version)
    unit.audit(
        "system:indexing",
        "dataset.indexed",
        None,
        dataset=dataset_id,
        version=version,
        objects=dataset.objects,
        subjects=dataset.subjects,
    )
    unit.tell("dataset.indexed", dataset_id, version=version, objects=dataset.objects)
    return scopes.indexes_needed(unit.session, dataset_id) | {before, version}
