"""Rows of a table on their way into a package: read as declared, made coarser, verified."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
import pytest

from sharing.errors import Refused
from sharing.export import manifest
from sharing.export.columns import Columns, record
from sharing.export.deliver import deliver
from sharing.export.pack import write_shard
from sharing.export.seal import seal
from sharing.export.source import Candidate
from sharing.export.table import LONGEST_TEXT, TableFile
from sharing.export.table_check import TableCheck
from sharing.export.table_index import check_columns, files_of, objects, subjects_of
from sharing.export.verify import PackageBroken, verify
from sharing.offered import Offer, table_of
from tests.sharing.export.packages import HEADER, KEY, PSEUDONYMS, files

CANARY = "canary-4711"
FORMS = {"country": "keep", "birthday": "decade", "mail": "hash", "lat": "coarse-1", "seen": "keep"}
OFFER = Offer(
    photos=False,
    category="pd:Demographic",
    table=table_of(
        {
            "location": "t",
            "subject": "id",
            "columns": [
                {"name": name, "category": "pd:Country", "forms": [one]}
                for name, one in FORMS.items()
            ],
        }
    ),
)
FIELDS = OFFER.asked(list(FORMS))


def profiles(first: int, count: int) -> pa.Table:
    """Some profiles, with what must not leave."""
    numbers = range(first, first + count)
    return pa.table(
        {
            "secret": [f"{CANARY}-{n}" for n in numbers],
            "mail": [f"{CANARY}-{n}@example.org" for n in numbers],
            "country": pa.array([None if n == 3 else "PT" for n in numbers]).dictionary_encode(),
            "birthday": [date(1970 + n, 2, 3) for n in numbers],
            "lat": [float("nan") if n == 4 else 10.26 + n for n in numbers],
            "id": [f"s{n:03}" for n in numbers],
            "seen": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * count, pa.timestamp("ns", "UTC")),
        }
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of two Parquet files with several row groups."""
    folder = tmp_path / "table"
    folder.mkdir()
    pq.write_table(profiles(0, 7), folder / "a.parquet", row_group_size=3)
    pq.write_table(profiles(7, 4), folder / "b.parquet", row_group_size=3)
    return folder


def candidates(root: Path) -> list[Candidate]:
    """Every row, as a scope of all of them."""
    assert OFFER.table
    found = objects(root, files_of(root), OFFER.table)
    return [
        Candidate(one.path, one.subject, one.bytes, one.modified_ns, one.media_type, 5, one.row)
        for one in found
    ]


def taken(root: Path, known: Sequence[TableFile] | None = None) -> Columns:
    """All fields of the table."""
    return Columns(root, tuple(known or files_of(root)), "id", FIELDS, photos=False, alone=True)


def package(root: Path, home: Path, age: str | None = None, **changed: Any) -> Path:
    """A delivered package of all rows, four to a shard."""
    chosen, columns = candidates(root), replace(taken(root), **changed)
    shards = [
        write_shard(
            root, home / "staging", number, chosen[start : start + 4], packing="table",
            category="pd:Demographic", pseudonyms=PSEUDONYMS, age_recipient=age, attempt="1",
            progress=None, columns=columns,
        )
        for number, start in enumerate(range(0, len(chosen), 4))
    ]  # fmt: skip
    header = replace(HEADER, packing="table", category="pd:Demographic", fields=columns.fields)
    sealed = seal(home / "staging", shards, header, KEY)
    deliver(home / "staging", home / "delivered", sealed.envelope)
    return home / "delivered"


def test_rows_are_delivered_in_their_forms(root: Path, tmp_path: Path) -> None:
    """Each value is in the form that was asked for, null where there is no value, pseudonyms in the
    place of subjects; the package verifies; and no canary is anywhere in it."""
    made = package(root, tmp_path)
    shards = sorted(made.glob("table-*.parquet"))
    rows = [tuple(row.values()) for one in shards for row in pq.read_table(one).to_pylist()]
    assert len(rows) == 11
    assert {row[0] for row in rows} == {PSEUDONYMS.object(f"s{n:03}") for n in range(11)}
    assert {row[1] for row in rows} == {PSEUDONYMS.subject(f"s{n:03}") for n in range(11)}
    assert sorted(row[3] for row in rows) == [1970] * 10 + [1980]
    assert [row[2] for row in rows].count(None) == 1
    assert sorted(row[5] for row in rows if row[5] is not None)[:2] == [10.3, 11.3]
    found = verify(made, KEY.public_key())
    assert (found.objects, found.subjects) == (11, 11)
    for name, data in files(made).items():
        text = str(pq.read_table(made / name).to_pylist()) if name.endswith(".parquet") else ""
        assert CANARY not in text
        assert CANARY.encode() not in data
        assert "s003" not in text


def test_same_rows_same_bytes(root: Path, tmp_path: Path) -> None:
    """Packed twice, a shard of rows is byte for byte the same."""
    one, other = package(root, tmp_path / "one"), package(root, tmp_path / "other")
    assert files(one) == files(other)


def test_encrypted_rows_verify_with_the_identity(root: Path, tmp_path: Path) -> None:
    """Rows under age are checked one by one with the partner's identity."""
    identity = pyrage.x25519.Identity.generate()
    made = package(root, tmp_path, str(identity.to_public()))
    assert (made / "table-00000.parquet.age").is_file()
    found = verify(made, KEY.public_key(), str(identity))
    assert any("All 11 objects" in sentence for sentence in found.checked)


def test_a_row_that_is_not_the_manifests_is_found(root: Path, tmp_path: Path) -> None:
    """A sealed package whose rows are not those of its own manifest does not verify."""
    made = package(root, tmp_path)
    staging = tmp_path / "again"
    shutil.copytree(tmp_path / "delivered", staging)
    table = pq.read_table(staging / "table-00001.parquet")
    place = table.schema.get_field_index("country")
    spoilt = table.set_column(place, "country", pa.array(["NO"] * table.num_rows))
    pq.write_table(spoilt, staging / "table-00001.parquet")
    rows = [row for row in _rows(made) if row.shard == "table-00001.parquet"]
    check = TableCheck("table-00001.parquet", rows, list(FORMS))
    check.write((staging / "table-00001.parquet").read_bytes())
    with pytest.raises(PackageBroken, match="not those that the manifest describes"):
        check.end()
    with pytest.raises(PackageBroken, match="table-00001"):
        verify(staging, KEY.public_key())


def _rows(made: Path) -> list[Any]:
    return list(manifest.rows(made / "manifest.parquet"))


def test_only_declared_columns_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a file is the subject and the fields that were asked for, and no more."""
    read: list[set[str]] = []
    real = pq.ParquetFile.iter_batches

    def watched(self: Any, *given: Any, **named: Any) -> Any:
        read.append(set(named["columns"]))
        return real(self, *given, **named)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    columns = replace(taken(root), fields=FIELDS[:1])
    columns.values(candidates(root), PSEUDONYMS)
    assert set().union(*read) == {"id", "country"}


def test_a_row_of_another_subject_gives_nothing(root: Path) -> None:
    """Where the row that was indexed is now about somebody else nothing of it is given."""
    columns = taken(root)
    stranger = replace(candidates(root)[2], subject="s009")
    found = columns.values([stranger], PSEUDONYMS)
    assert "changed since it was indexed" in str(found[stranger.path])


@pytest.mark.parametrize("how", ["touched", "gone", "linked"])
def test_a_file_that_changed_gives_nothing(root: Path, how: str) -> None:
    """A file of the table that was written, removed, or replaced by a link since the index gives
    none of its rows; the other file still does."""
    chosen, columns = candidates(root), taken(root)
    file = root / "a.parquet"
    if how == "touched":
        os.utime(file, ns=(1, 1))
    elif how == "gone":
        file.unlink()
    else:
        file.rename(root.parent / "moved.parquet")
        file.symlink_to(root.parent / "moved.parquet")
    found = columns.values(chosen, PSEUDONYMS)
    assert sum("changed" in str(found[c.path]) for c in chosen) == 7


def odd(home: Path, column: pa.Array, form: str = "keep") -> None:
    """Indexes a table with one odd column."""
    file = home / "odd.parquet"
    pq.write_table(pa.table({"id": ["a"], "odd": column}), file)
    declared = {"subject": "id", "columns": [{"name": "odd", "category": "c", "forms": [form]}]}
    table = table_of(declared)
    assert table
    check_columns(file, files_of(file), table)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"]]),
        pa.array([{"a": 1}]),
        pa.array([b"raw"]),
        pa.array([None], pa.null()),
        pa.array([1], pa.duration("s")),
        pa.array([2**64 - 1], pa.uint64()),
    ],
    ids=lambda column: str(column.type),
)
def test_kinds_that_cannot_be_given(tmp_path: Path, column: pa.Array) -> None:
    """Nested, binary and other kinds are refused at indexing, by the column's name."""
    with pytest.raises(Refused, match="column 'odd' is"):
        odd(tmp_path, column)


def test_a_form_that_cannot_be_made(tmp_path: Path) -> None:
    """A declared form that the column's kind does not have is refused at indexing."""
    with pytest.raises(Refused, match="'odd' is int64: it has no region-2"):
        odd(tmp_path, pa.array([4050]), "region-2")


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (["a", "b", "a"], "Rows 1 and 3 of the table are about one subject"),
        (["a", None], "Row 2 of the table names no subject"),
        (["a", ""], "Row 2 of the table names no subject"),
    ],
)
def test_one_row_a_subject(tmp_path: Path, ids: list[str | None], why: str) -> None:
    """A subject with two rows, or a row without a subject, is refused by number, not by name."""
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ids}), file)
    assert OFFER.table
    with pytest.raises(Refused, match=why):
        subjects_of(file, files_of(file), OFFER.table)


def test_surprising_values(tmp_path: Path) -> None:
    """Control characters and line separators stay inside JSON, decimals become numbers; a text that
    is too long or not UTF-8 is not given, and the row says which column it was."""
    raw = [b"a\x00\x1b\n\xe2\x80\xa8", b"x" * (LONGEST_TEXT + 1), b"\xff\xfe", "😀".encode()]
    texts = pa.Array.from_buffers(
        pa.string(), 4, pa.array(raw, pa.binary()).buffers(), null_count=0
    )
    file = tmp_path / "t.parquet"
    pay = pa.array([Decimal("1.50"), None, None, None])
    pq.write_table(pa.table({"id": ["a", "b", "c", "d"], "text": texts, "pay": pay}), file)
    fields = Offer(False, "c", table_of({"subject": "id", "columns": [
        {"name": name, "category": "c", "forms": ["keep"]} for name in ("text", "pay")
    ]})).asked(["text", "pay"])  # fmt: skip
    columns = Columns(file, tuple(files_of(file)), "id", fields)
    chosen = [Candidate(s, s, 0, 0, "", 1, n) for n, s in enumerate("abcd")]
    found = columns.values(chosen, PSEUDONYMS)
    told = record(["text", "pay"], found["a"])  # type: ignore[arg-type]
    assert b"\n" not in told
    assert b"\x1b" not in told
    assert json.loads(told) == {"text": "a\x00\x1b\n\u2028", "pay": 1.5}
    assert found["d"] == ["😀", None]
    assert all("'text'" in str(found[name]) for name in "bc")
