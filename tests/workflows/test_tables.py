"""Exports of tables, and of photographs with columns beside them, by both workers for real."""

import json
import sqlite3
import tarfile
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.errors import Refused
from sharing.records import datasets, notices, requests
from sharing.records.database import Database
from sharing.records.datasets import Dataset
from sharing.records.unit import Unit
from sharing.stages import Stage
from tests.photos import fill
from tests.walk import PURPOSE
from tests.workflows.conftest import Office, running, settings
from tests.workflows.test_export import Depot
from workflows import client as verbs
from workflows import worker

COUNTRY, AGE, MAIL, PLACE = "pd:Country", "pd:Age", "pd:EmailAddress", "pd:GPSCoordinate"
CANARY = "canary-4711"
COLUMNS = [
    {"name": "country", "category": COUNTRY, "forms": ["keep"]},
    {"name": "birthday", "category": AGE, "forms": ["year", "decade"]},
    {"name": "email", "category": MAIL, "forms": ["hash"]},
    {"name": "latitude", "category": PLACE, "forms": ["coarse-1"]},
    {"name": "diary", "category": "pd:Communication", "forms": ["drop"]},
]
QUERY = "SELECT * FROM profile WHERE id <> 'nobody'"


class Housed(Protocol):
    """Whoever has an office."""

    @property
    def office(self) -> Office:
        """The office."""


def rows(subjects: list[str]) -> dict[str, list[Any]]:
    """A profile of each subject, with what must never leave."""
    return {
        "id": subjects,
        "country": ["NO" if i % 2 else "PT" for i in range(len(subjects))],
        "birthday": [date(1980 + i, 5, 17) for i in range(len(subjects))],
        "email": [f"{CANARY}-{i}@example.org" for i in range(len(subjects))],
        "latitude": [59.912345 + i for i in range(len(subjects))],
        "diary": [f"{CANARY} dear diary {i}" for i in range(len(subjects))],
        "undeclared": [f"{CANARY} undeclared {i}" for i in range(len(subjects))],
    }


def in_sqlite(file: Path, profiles: dict[str, list[Any]]) -> None:
    """The same as a table of a database."""
    with sqlite3.connect(file) as base:
        base.execute(f"CREATE TABLE profile ({', '.join(profiles)})")
        base.executemany(
            f"INSERT INTO profile VALUES ({', '.join('?' * len(profiles))})",
            [tuple(str(v) if isinstance(v, date) else v for v in row)
             for row in zip(*profiles.values(), strict=True)],
        )  # fmt: skip


async def add(depot: Housed, name: str, *, photos: bool, **table: Any) -> str:
    """One more dataset, indexed: its id."""

    def work(unit: Unit) -> str:
        return datasets.add(
            unit.session,
            name=name,
            location="photos" if photos else "",
            subject_from="path:{subject}/*" if photos else "",
            category="pd:Picture",
            special_category=False,
            tabular={
                "subject": "id",
                "columns": COLUMNS,
                "location": None,
                "source": None,
                **table,
            },
        ).id

    dataset = await depot.office.world.database.write(work)
    assert await verbs.index_dataset(depot.office.client, dataset, timedelta(seconds=20))
    return dataset


def wanted(name: str, *fields: str, **more: Any) -> dict[str, Any]:
    """What changes in a request for these fields of a dataset."""
    return {"dataset": name, "scope": {"fields": list(fields), "where": {}, "limit": 1000}, **more}


@pytest.fixture
async def depot(
    temporal: WorkflowEnvironment,
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """Six people with two photographs each, and a profile of all but the last of them; all said yes
    to the use of the photographs, and of the country."""
    subjects = fill(tmp_path / "store" / "photos", 6)
    pq.write_table(pa.table(rows(subjects[:5])), tmp_path / "store" / "profiles.parquet")
    in_sqlite(tmp_path / "app.sqlite3", rows(subjects[:5]))
    sources = tmp_path / "sources.toml"
    url = f"sqlite+aiosqlite:///{tmp_path}/app.sqlite3"
    sources.write_text(f'[profiles]\nurl = "{url}"\nquery = "{QUERY}"\n')
    chosen = settings(tmp_path, database_url, shard_objects=5, table_sources=sources)
    async with (
        running(temporal, database, chosen, monkeypatch) as office,
        worker.export_worker(office.client, database, chosen),
    ):
        told = ["pd:Picture", COUNTRY, AGE, MAIL, PLACE]
        await database.write(
            lambda u: notices.add(u.session, "profiles", "1", "We share.", [PURPOSE], told)
        )
        here = Depot(office, tmp_path / "store" / "photos", subjects)
        for subject in subjects:
            await office.world.say(subject)
            await say(here, subject)
        yield here


async def say(depot: Housed, subject: str, action: str = "given", category: str = COUNTRY) -> None:
    """What a subject said of a category."""
    named = {"notice": "profiles", "category": category}
    await depot.office.world.say(subject, action, **named)


def samples(package: Path) -> dict[str, dict[str, bytes]]:
    """The members of a package's shards by key and extension, as webdataset groups them."""
    found: dict[str, dict[str, bytes]] = {}
    for shard in sorted(package.glob("shard-*.tar")):
        with tarfile.open(shard) as opened:
            for member in opened.getmembers():
                content = opened.extractfile(member)
                assert content is not None
                key, _, extension = member.name.partition(".")
                found.setdefault(key, {})[extension] = content.read()
    return found


def whole(package: Path) -> bytes:
    """Every byte of a package, Parquet files read out."""
    parts = [file.read_bytes() for file in sorted(package.rglob("*")) if file.is_file()]
    tables = sorted(package.rglob("*.parquet"))
    return b"".join([*parts, *(str(pq.read_table(one).to_pylist()).encode() for one in tables)])


@pytest.mark.parametrize("kept", ["location", "source"])
async def test_photo_plus_country_without_location(depot: Depot, kept: str) -> None:
    """Each photograph comes with its subject's country and nothing else of the table, which may be
    Parquet or a query's rows; who has no row has null."""
    place = {"location": "profiles.parquet"} if kept == "location" else {"source": "profiles"}
    await add(depot, "joined", photos=True, **place)
    package = await depot.delivered(**wanted("joined", "photo", "country"))
    found = samples(package)
    assert len(found) == 12
    assert all(set(parts) == {"jpg", "json"} for parts in found.values())
    records = [json.loads(parts["json"]) for parts in found.values()]
    assert sorted(str(one) for one in records) == sorted(
        [*["{'country': 'NO'}"] * 4, *["{'country': 'PT'}"] * 6, *["{'country': None}"] * 2]
    )
    verified = depot.verified(package)
    assert (verified.objects, verified.subjects) == (12, 6)
    manifest = pq.read_table(package / "manifest.parquet").to_pylist()
    assert {(row["media_type"], row["category"]) for row in manifest} == {
        ("image/jpeg", "pd:Picture"),
        ("application/json", COUNTRY),
    }
    assert not [
        word for word in (CANARY, "s003", "59.9", "1981") if word.encode() in whole(package)
    ]


async def test_table_alone(depot: Depot) -> None:
    """A table without photographs is delivered as Parquet, each row in the forms asked for, under
    pseudonyms; the package verifies, and no other form or column is in it."""
    await add(depot, "profiles", photos=False, location="profiles.parquet")
    for subject in depot.subjects:
        for category in (AGE, MAIL, PLACE):
            await say(depot, subject, category=category)
    fields = ("country", "birthday", "email", "latitude")
    package = await depot.delivered(**wanted("profiles", *fields))
    found = pq.read_table(package / "table-00000.parquet").to_pylist()
    assert len(found) == 5
    assert list(found[0]) == ["object", "subject_pseudonym", *fields]
    assert sorted(row["birthday"] for row in found) == [1980, 1981, 1982, 1983, 1984]
    assert sorted(row["latitude"] for row in found) == [59.9, 60.9, 61.9, 62.9, 63.9]
    assert {len(row["email"]) for row in found} == {32}
    assert len({row["email"] for row in found}) == 5
    assert depot.verified(package).objects == 5
    assert not [
        word for word in (CANARY, "s003", "59.91", "05-17") if word.encode() in whole(package)
    ]
    summary = json.loads((package / "manifest.json").read_text())
    assert summary["packing"] == "table"
    assert [one["form"] for one in summary["fields"]] == ["keep", "year", "hash", "coarse-1"]


async def test_yes_to_each_category_is_needed(depot: Depot) -> None:
    """Who said no to one category of what is asked for is left out of all of it, and counted
    under the reason of that category, at the gate as in the package."""
    await add(depot, "joined", photos=True, location="profiles.parquet")
    await say(depot, depot.subjects[1], "withdrawn")
    request, digest = await depot.office.submitted(**wanted("joined", "photo", "country"))
    for stage in (Stage.PURPOSE_REVIEW, Stage.CONSENT_VERIFICATION):
        await depot.office.at(request, stage)
        if stage is Stage.PURPOSE_REVIEW:
            await depot.office.decide(request, digest, stage)

    def told(session: Any) -> str:
        gate = requests.gate(session, requests.get(session, request), Stage.CONSENT_VERIFICATION)
        assert gate is not None
        return json.dumps(gate.findings)

    findings = await depot.office.world.database.read(told)
    assert "5 of 6 subjects gave consent" in findings
    assert "2 withdrawn" in findings
    package = await depot.delivered(**wanted("joined", "photo", "country"))
    assert len(samples(package)) == 10
    assert json.loads((package / "manifest.json").read_text())["excluded"] == {"withdrawn": 2}


async def test_photo_alone_asks_nothing_of_the_table(depot: Depot) -> None:
    """A scope of photographs of a joined dataset is what it always was: a no to the country does
    not matter to it."""
    await add(depot, "joined", photos=True, location="profiles.parquet")
    await say(depot, depot.subjects[1], "withdrawn")
    package = await depot.delivered(**wanted("joined", "photo"))
    found = samples(package)
    assert len(found) == 12
    assert all(set(parts) == {"jpg"} for parts in found.values())


async def test_columns_alone_of_a_joined_dataset(depot: Depot) -> None:
    """The columns can be had without the photographs they belong to, also as files."""
    await add(depot, "joined", photos=True, location="profiles.parquet")
    asked = wanted("joined", "country", delivery={"format": "objects"})
    package = await depot.delivered(**asked)
    assert len(list(package.glob("objects/*/*.json"))) == 12
    assert not list(package.glob("objects/*/*.jpg"))
    assert depot.verified(package).objects == 12


async def test_changed_table_gives_nothing(depot: Depot) -> None:
    """Rows of a table that was written anew since the index are unreadable, as changed photographs
    are; whoever has no row is not affected."""
    await add(depot, "joined", photos=True, location="profiles.parquet")
    other = rows(list(reversed(depot.subjects[:5])))
    pq.write_table(pa.table(other), depot.photos.parent / "profiles.parquet")
    package = await depot.delivered(**wanted("joined", "photo", "country"))
    assert [json.loads(parts["json"]) for parts in samples(package).values()] == [
        {"country": None}
    ] * 2
    assert json.loads((package / "manifest.json").read_text())["excluded"] == {"unreadable": 10}


async def test_unsupported_column_is_refused_at_indexing(depot: Depot) -> None:
    """A column of a kind that cannot be given stops the index, and the error names it."""
    odd = pa.table({"id": ["a"], "country": pa.array([["NO"]], pa.list_(pa.string()))})
    pq.write_table(odd, depot.photos.parent / "odd.parquet")
    columns = COLUMNS[:1]
    with pytest.raises(Refused, match="'country' is list"):
        await add(depot, "odd", photos=False, location="odd.parquet", columns=columns)


async def test_kept_rows_of_a_query_hold_declared_columns_only(depot: Depot) -> None:
    """What the indexing keeps of a query's rows is what may be asked for, for its owner only, and
    goes when nobody needs it."""
    dataset = await add(depot, "asked", photos=False, source="profiles")
    folder = depot.office.settings.home / "tables" / dataset
    kept = folder / "000001" / "rows.parquet"
    assert pq.read_table(kept).column_names == ["id", "country", "birthday", "email", "latitude"]
    assert kept.stat().st_mode & 0o077 == 0
    for _ in range(2):
        assert await verbs.index_dataset(depot.office.client, dataset, timedelta(seconds=20))
    assert sorted(one.name for one in folder.iterdir()) == ["000002", "000003"]

    def version(session: Any) -> int:
        return int(session.get_one(Dataset, dataset).index_version)

    assert await depot.office.world.database.read(version) == 3
