"""One S3 server a session; each test gets prefixes of its own in its buckets."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sharing.export.bucket import Bucket
from tests.photos import fill
from tests.s3.server import S3Server, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real server with the buckets photos, delivery and partner."""
    with s3_server(tmp_path_factory.mktemp("s3") / "weed") as server:
        yield server


@pytest.fixture
def here(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The same, with this process set up as the export worker is."""
    for name, value in s3.environ().items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def photos(here: S3Server) -> Bucket:
    """An empty place for photographs."""
    return Bucket("s3://photos", f"t{uuid4().hex[:8]}")


@pytest.fixture
def delivery(here: S3Server) -> Bucket:
    """An empty place for packages."""
    return Bucket("s3://delivery", f"t{uuid4().hex[:8]}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four subjects with two photographs each, in a folder."""
    fill(tmp_path / "photos", 4)
    return tmp_path / "photos"


def put_folder(folder: Path, place: Bucket) -> None:
    """Puts every file of a folder into a bucket."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            place.store(writing=True).put(place.key(path), file.read_bytes())


def get_folder(place: Bucket, folder: Path) -> Path:
    """Fetches everything in a bucket's place into a folder, as a partner would."""
    for meta in place.listed():
        file = folder / meta["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(place.store().get(place.key(meta["path"])).bytes()))
    return folder


def paths(place: Bucket) -> list[str]:
    """What lies there, sorted."""
    return sorted(meta["path"] for meta in place.listed())
