"""A delivered package opens with what partners have: nothing of ours is needed to read it."""

import json
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pyrage
import pytest
from PIL import Image

from sharing.export.verify import verify
from tests.sharing.export.packages import KEY, Made, delivered
from tests.sharing.export.photos import dataset

IDENTITY = pyrage.x25519.Identity.generate()

# Its imports alone take seconds, and change how other libraries behave: a process of its own.
CROISSANT = """
import json, sys
import mlcroissant as mlc
dataset = mlc.Dataset(sys.argv[1])
issues = dataset.metadata.ctx.issues
objects = [record["objects/path"].decode() for record in dataset.records("objects")]
images = [(r["images/path"].decode(), r["images/image"].size) for r in dataset.records("images")]
print(json.dumps([sorted(issues.errors), sorted(issues.warnings), objects, images]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A package of shards; not to be changed."""
    home = tmp_path_factory.mktemp("package")
    return delivered(home / "source", home, dataset(home / "source"))


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The same, encrypted to a partner's age key; not to be changed."""
    home = tmp_path_factory.mktemp("encrypted")
    chosen = dataset(home / "source")
    return delivered(home / "source", home, chosen, age_recipient=str(IDENTITY.to_public()))


def names(made: Made) -> list[str]:
    """The objects' names by the manifest, in its order."""
    paths: list[str] = pq.read_table(made.folder / "manifest.parquet")["path"].to_pylist()
    return paths


def test_webdataset_reads_the_shards(package: Made) -> None:
    """The webdataset library gives each object of the manifest, decoded, under its pseudonym."""
    import webdataset

    shards = sorted(str(shard) for shard in package.folder.glob("shard-*.tar"))
    samples = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
    read = {sample["__key__"]: sample["jpg"].size for sample in samples}
    assert [f"{name}.jpg" for name in read] == names(package)
    assert all(width and height for width, height in read.values())


def test_duckdb_reads_the_manifest(package: Made) -> None:
    """DuckDB counts by its rows what manifest.json counts."""
    import duckdb

    rows = duckdb.sql(
        "SELECT count(*), sum(bytes), count(DISTINCT subject_pseudonym) "
        f"FROM '{package.folder}/manifest.parquet'"
    )
    assert rows is not None
    counts = json.loads((package.folder / "manifest.json").read_text())["counts"]
    assert rows.fetchall() == [(counts["objects"], counts["bytes"], counts["subjects"])]


def test_mlcroissant_validates_and_loads(package: Made) -> None:
    """mlcroissant finds nothing to say against croissant.json, and loads rows and photos by it."""
    command = [sys.executable, "-c", CROISSANT, str(package.folder / "croissant.json")]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    errors, warnings, objects, images = json.loads(told.stdout.splitlines()[-1])
    assert (errors, warnings) == ([], [])
    assert objects == names(package)
    assert sorted(name for name, _ in images) == sorted(objects)
    assert all(size[0] > 1 for _, size in images)


def test_age_opens_what_is_encrypted(encrypted: Made, tmp_path: Path) -> None:
    """The standard age program opens each shard with the partner's identity, and it is a tar."""
    program = shutil.which("age")
    if program is None:
        pytest.skip("The age program is not installed: apt-get install age")
    identity = tmp_path / "identity.txt"
    identity.write_text(f"# a comment\n{IDENTITY}\n")
    opened = []
    for shard in sorted(encrypted.folder.glob("shard-*.tar.age")):
        command = [program, "--decrypt", "-i", str(identity), str(shard)]
        data = subprocess.run(command, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=BytesIO(data)) as tar:
            for member in tar:
                opened.append(member.name)
                Image.open(BytesIO(tar.extractfile(member).read())).load()  # type: ignore[union-attr]
    assert opened == names(encrypted)


def test_verify_opens_both(package: Made, encrypted: Made) -> None:
    """clearance verify holds of the same package, plain and encrypted."""
    key = KEY.public_key()
    plain, sealed = verify(package.folder, key), verify(encrypted.folder, key, str(IDENTITY))
    assert (plain.objects, plain.bytes) == (sealed.objects, sealed.bytes)
