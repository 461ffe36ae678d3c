"""Tables that lie in an object store: taken once, when the dataset is indexed."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.errors import NotYet, Refused
from sharing.export import table_bucket
from sharing.export.bucket import Bucket
from sharing.export.table_index import files_of
from sharing.export.table_sources import tables
from sharing.offered import table_of
from sharing.records import notices
from sharing.records.database import Database
from sharing.settings import Settings
from sharing.stages import GATES
from tests.faults.cases import approved, triggered
from tests.s3.depots import s3_depot, verified
from tests.walk import PURPOSE
from tests.workflows.test_tables import (
    AGE,
    CANARY,
    COLUMNS,
    COUNTRY,
    add,
    rows,
    samples,
    say,
    wanted,
)

KEPT = ["id", "country", "birthday", "email", "latitude"]


def put(place: Bucket, path: str, *subjects: str) -> None:
    """A profile of each of them, as a Parquet object."""
    written = BytesIO()
    pq.write_table(pa.table(rows(list(subjects))), written)
    place.store(writing=True).put(place.key(path), written.getvalue())


async def taken(place: Bucket, home: Path, location: str) -> Path:
    """The folder that holds a table's rows once its dataset is indexed."""
    declared: dict[str, Any] = {"subject": "id", "columns": COLUMNS, "source": None}
    table = table_of({**declared, "location": location})
    assert table is not None
    kept = tables(Settings(home=home).resolved(), place)
    return await kept.taken(table, "dts_1", 1)


async def test_columns_beside_photographs_in_a_bucket(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photos: Bucket,
    delivery: Bucket,
) -> None:
    """Photographs and their subjects' columns from a bucket are one package there; what was written
    to the table after it was indexed is not in it."""
    async with (
        s3_depot(temporal, database, tmp_path, monkeypatch, photos, delivery, people=3) as depot,
        depot.working(),
    ):
        told = ["pd:Picture", COUNTRY, AGE]
        await database.write(
            lambda u: notices.add(u.session, "profiles", "1", "We share.", [PURPOSE], told)
        )
        for subject in depot.subjects:
            await say(depot, subject)
        put(photos, "profiles.parquet", *depot.subjects[:2])
        await add(depot, "both", photos=True, location="profiles.parquet")
        put(photos, "profiles.parquet", "somebody else")
        order = depot.world.submission(**wanted("both", "photo", "country"))
        await depot.send(order)
        for stage in GATES:
            await depot.at(order.request_id, stage)
            await approved(depot, order.request_id, order.digest, stage)
        await depot.at(order.request_id, "cleared")
        export = await depot.ended(await triggered(depot, order.request_id, order.digest))
        assert (export.state, export.detail) == ("delivered", None)
        assert verified(depot, export, tmp_path / "fetched").objects == 6
    (package,) = {file.parent for file in (tmp_path / "fetched").rglob("seal.json")}
    given = [json.loads(parts["json"])["country"] for parts in samples(package).values()]
    assert sorted(map(str, given)) == ["NO", "NO", "None", "None", "PT", "PT"]


async def test_what_is_not_declared_is_not_kept(photos: Bucket, tmp_path: Path) -> None:
    """Of all Parquet below a prefix the declared columns are kept, in the order of the names; what
    lies deeper, or is no Parquet, is none of it."""
    for path, subject in [("b.parquet", "s2"), ("a.parquet", "s1"), ("old/c.parquet", "s3")]:
        put(photos / "table", path, subject)
    photos.store(writing=True).put(photos.key("table/notes.txt"), b"no table")
    folder = await taken(photos, tmp_path, "table")
    assert [file.path for file in files_of(folder)] == ["a.parquet", "b.parquet"]
    assert pq.read_table(folder / "a.parquet").column_names == KEPT
    assert pq.read_table(folder / "b.parquet").column("id").to_pylist() == ["s2"]
    assert f"{CANARY} undeclared".encode() not in (folder / "a.parquet").read_bytes()


async def test_a_table_by_its_url(photos: Bucket, tmp_path: Path) -> None:
    """An address of its own works from a store that is a folder, too."""
    put(photos, "profiles", "s1")
    folder = await taken(tmp_path, tmp_path, f"{photos}/profiles")  # type: ignore[arg-type]
    assert [file.rows for file in files_of(folder)] == [1]


@pytest.mark.parametrize(
    ("location", "code", "said"),
    [
        ("nowhere", "missing_table", "There is no Parquet file at s3://"),
        ("s3://no-such-bucket/a.parquet", "missing_table", "There is no s3://no-such-bucket"),
        ("../other", "unsupported_location", "must lie below"),
        ("broken.parquet", "bad_index", "cannot be read"),
        ("other.parquet", "bad_index", "is not in the table, which has: id"),
    ],
)
async def test_what_cannot_be_a_table(
    photos: Bucket, tmp_path: Path, location: str, code: str, said: str
) -> None:
    """A table that is not there, or is none, is refused with the place and the cure."""
    store = photos.store(writing=True)
    store.put(photos.key("broken.parquet"), b"PAR1 and nothing else")
    written = BytesIO()
    pq.write_table(pa.table({"id": ["s1"]}), written)
    store.put(photos.key("other.parquet"), written.getvalue())
    with pytest.raises(Refused, match=said) as refused:
        await taken(photos, tmp_path, location)
    assert refused.value.code == code


async def test_a_table_that_is_being_written_is_not_mixed(
    photos: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that changes between its listing and its reading is to be tried again."""
    put(photos, "profiles.parquet", "s1")
    found = table_bucket._objects

    def changed(place: Bucket) -> Any:
        listed = found(place)
        put(photos, "profiles.parquet", "s1", "s2")
        return listed

    monkeypatch.setattr(table_bucket, "_objects", changed)
    with pytest.raises(NotYet, match="index it again"):
        await taken(photos, tmp_path, "profiles.parquet")
