"""What a manifest adds up to, however much of it is looked at at a time."""

import random
from collections import Counter
from pathlib import Path

import pytest

from sharing.export import manifest
from sharing.export.manifest import Row, concatenate, counts, encoded, repeated_object

LETTERS = "0123456789abcdef~Zé"  # a manifest that somebody else made may have any name


def row(number: int, name: str, subject: str, suffix: str = ".jpg") -> Row:
    """One object's row."""
    kind = "application/json" if suffix == ".json" else "image/jpeg"
    shard = f"shards/shard-{number:05d}.tar"
    return Row(f"{name}{suffix}", shard, 700, "0" * 64, subject, "pd:Picture", 1, kind)


@pytest.mark.parametrize("at_once", [1, 7, 40, 1_000])
@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, seed: int
) -> None:
    """Subjects are counted once each, and the object that is there twice is found, in whatever
    parts the manifest is read; a photograph and its columns are one object."""
    monkeypatch.setattr(manifest, "_READ_AT_ONCE", at_once)
    chance = random.Random(seed)
    names = ["".join(chance.choices(LETTERS, k=24)) for _ in range(120)]
    rows = [row(i // 10, name, chance.choice(names[:40])) for i, name in enumerate(names)]
    rows += [row(i, names[i], rows[i].subject_pseudonym, ".json") for i in range(30)]
    parts = [tmp_path / f"{first}.parquet" for first in range(0, len(rows), 10)]
    for first, part in enumerate(parts):
        part.write_bytes(encoded(rows[10 * first : 10 * first + 10]))
    whole = tmp_path / "manifest.parquet"
    concatenate(parts, whole)
    subjects = len(Counter(one.subject_pseudonym for one in rows))
    assert counts(whole) == (120, 700 * 150, subjects)
    assert repeated_object(whole) is None
    twice = chance.choice(names)
    more = tmp_path / "more.parquet"
    more.write_bytes(encoded([row(99, twice, "somebody")]))
    concatenate([*parts, more], whole)
    assert repeated_object(whole) == twice


def test_an_empty_manifest_adds_up_to_nothing(tmp_path: Path) -> None:
    """Nothing in it is no object, no byte, nobody, and nothing twice."""
    whole = tmp_path / "manifest.parquet"
    concatenate([], whole)
    assert counts(whole) == (0, 0, 0)
    assert repeated_object(whole) is None
