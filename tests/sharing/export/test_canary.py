"""Canaries: drawn from the key and the export alone, and delivered like everything else."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from sharing.export.canary import Planting, planted
from sharing.export.deliver import deliver
from sharing.export.minimise import minimise
from sharing.export.seal import seal
from sharing.export.verify import verify
from tests.sharing.export.packages import HEADER, KEY, files, pack
from tests.sharing.export.photos import dataset

SECRET = bytes(range(32))
PLANTING = Planting("exp_1", count=6, shards=3, bytes=5_000)


def test_each_is_in_one_shard_and_everywhere_the_same() -> None:
    """All canaries of an export are planted, each in one shard, and drawn anew they are the same
    bytes."""
    once = [planted(SECRET, PLANTING, shard, 7) for shard in range(3)]
    assert once == [planted(SECRET, PLANTING, shard, 7) for shard in range(3)]
    flat = [one for shard in once for one in shard]
    assert len({one.name for one in flat}) == len({one.sha256 for one in flat}) == 6
    assert len({one.subject for one in flat}) == 6


@pytest.mark.parametrize("other", ["key", "export"])
def test_nobody_else_draws_the_same(other: str) -> None:
    """Another key, or another export, shares no name, no pseudonym and no picture."""
    key = SECRET[::-1] if other == "key" else SECRET
    export = "exp_2" if other == "export" else "exp_1"
    one, two = Planting("exp_1", 3, 1, 5_000), Planting(export, 3, 1, 5_000)
    here, there = planted(SECRET, one, 0, 7), planted(key, two, 0, 7)
    for what in ("name", "subject", "sha256"):
        assert not {getattr(c, what) for c in here} & {getattr(c, what) for c in there}


@pytest.mark.parametrize("size", [4_000, 50_000, 200_000])
def test_they_are_plain_photos_of_about_that_size(size: int) -> None:
    """A canary decodes as a JPEG, has nothing that stripping would take, and is about as large as
    it should be."""
    for one in planted(SECRET, Planting("exp_1", 3, 1, size), 0, 7):
        with Image.open(BytesIO(one.data)) as picture:
            picture.load()
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert b"".join(minimise(one.data, "image/jpeg")) == one.data
        assert size / 2.5 < len(one.data) < max(size * 2.5, 12_000)


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_package_with_canaries_adds_up(tmp_path: Path, packing: str) -> None:
    """Among the objects in their order, canaries are rows like any other; the package verifies,
    says that there are some, and two attempts give the same bytes."""
    chosen = dataset(tmp_path / "source")
    extra = planted(SECRET, Planting("exp_1", 4, 1, 2_000), 0, chosen[0].consent_position)
    made = []
    for attempt in ("1", "2"):
        staging, folder = tmp_path / f"staging{attempt}", tmp_path / f"delivered{attempt}"
        options = {"packing": packing, "planted": extra, "attempt": attempt}
        shards = [pack(tmp_path / "source", staging, 0, chosen, **options)]
        header = replace(HEADER, packing=packing, canaries=True)
        deliver(staging, folder, seal(staging, shards, header, KEY).envelope)
        made.append(files(folder))
    assert made[0] == made[1]
    found = verify(folder, KEY.public_key())
    assert (found.objects, found.header["canaries"]) == (len(chosen) + 4, True)
    rows = pq.read_table(folder / "manifest.parquet").to_pylist()
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    by_digest = {row["sha256"]: row for row in rows}
    for one in extra:
        row = by_digest[one.sha256]
        assert (row["subject_pseudonym"], one.name in row["path"]) == (one.subject, True)
