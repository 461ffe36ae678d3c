"""Objects read from a real S3 server: as indexed, or not at all."""

import io
import mmap
from collections.abc import Generator
from pathlib import Path

import pytest

from sharing.errors import Refused
from sharing.export import bucket_index, bucket_source
from sharing.export.bucket import Bucket
from sharing.export.bucket_index import Known, scan
from sharing.export.index import IndexedObject
from sharing.export.index import scan as scan_folder
from sharing.export.source import Candidate, SourceFailed, Unread
from tests.photos import photo
from tests.s3.conftest import put_folder
from tests.s3.server import S3Server

BY_FOLDER = "path:{subject}/*"


def candidate(item: IndexedObject) -> Candidate:
    """What the index says of an object, as the export asks for it."""
    return Candidate(item.path, item.subject, item.bytes, item.modified_ns, item.media_type, 1)


def known(items: list[IndexedObject]) -> list[Known]:
    """What a scan leaves for the next one."""
    return [Known(item.path, item.bytes, item.modified_ns, item.taken_at) for item in items]


def test_the_index_is_a_folders(photos: Bucket, folder: Path) -> None:
    """A bucket's index is that of the same files in a folder, but for what tells a version."""
    (folder / "s000" / "notes.txt").write_text("no photo")
    put_folder(folder, photos)

    def shown(found: list[IndexedObject]) -> list[tuple[object, ...]]:
        return [(i.path, i.subject, i.bytes, i.media_type, i.taken_at) for i in found]

    here = list(scan_folder(str(folder), BY_FOLDER))
    told: list[int] = []
    there = list(scan(photos, BY_FOLDER, progress=told.append))
    assert shown(there) == shown(here)
    assert all(item.taken_at for item in there)
    assert told == [8]


def test_only_what_changed_is_read_again(
    photos: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second scan reads the first bytes of new and changed objects, and of no others."""
    put_folder(folder, photos)
    first = list(scan(photos, BY_FOLDER))
    read: list[str] = []
    real = bucket_index._part

    def counted(place: Bucket, item: IndexedObject, at: int, size: int) -> bytes:
        read.append(item.path)
        return real(place, item, at, size)

    monkeypatch.setattr(bucket_index, "_part", counted)
    assert list(scan(photos, BY_FOLDER, iter(known(first)))) == first
    assert read == []
    store = photos.store(writing=True)
    store.put(photos.key("s000/1.jpg"), photo(99))
    store.put(photos.key("s0000/new.jpg"), photo(98))
    store.delete(photos.key("s002/0.jpg"))
    again = list(scan(photos, BY_FOLDER, iter(known(first))))
    assert sorted(read) == ["s000/1.jpg", "s0000/new.jpg"]
    assert [item.path for item in again] == sorted(item.path for item in again)
    assert len(again) == 8


def test_paths_are_sorted_however_they_are_listed(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that a store lists by folder come in the order of whole paths, also from many runs."""
    monkeypatch.setattr(bucket_index, "_RUN", 2)
    names = ["a b/1.jpg", "a/1.jpg", "a/2.jpg", "a-b/1.jpg", "ä/1.jpg", "a/é #%41.jpg", "z/1.jpg"]
    for name in names:
        photos.store(writing=True).put(photos.key(name), b"?")
    assert [item.path for item in scan(photos, BY_FOLDER)] == sorted(names)


def test_a_date_behind_much_else_is_found(photos: Bucket) -> None:
    """A photo's date is found where a long segment stands before it."""
    image = photo(5)
    filler = b"\xff\xee" + (60_002).to_bytes(2, "big") + bytes(60_000)
    photos.store(writing=True).put(photos.key("s/1.jpg"), image[:2] + filler + image[2:])
    (found,) = scan(photos, BY_FOLDER)
    assert found.taken_at is not None
    assert found.taken_at.year == 2015


def test_an_index_file_in_the_bucket(photos: Bucket, folder: Path) -> None:
    """An index file beside the photos names the subjects; a line too many is told by number."""
    put_folder(folder, photos)
    store = photos.store(writing=True)
    store.put(photos.key("who.csv"), b"object,subject\ns001/0.jpg,anna\ns000/1.jpg,ben\n")
    found = list(scan(photos, "who.csv"))
    assert [(i.path, i.subject) for i in found] == [("s000/1.jpg", "ben"), ("s001/0.jpg", "anna")]
    store.put(photos.key("who.csv"), b"object,subject\ns001/0.jpg,anna\ns009/1.jpg,ben\n")
    with pytest.raises(Refused, match=r"who.csv, line 3: the object 's009/1.jpg' is not an object"):
        list(scan(photos, "who.csv"))
    with pytest.raises(Refused) as refused:
        list(scan(photos, "other.csv"))
    assert refused.value.code == "missing_index"


def test_objects_are_as_indexed_or_unread(photos: Bucket, folder: Path) -> None:
    """What changed or vanished since it was indexed is told, and the others are read, in order."""
    put_folder(folder, photos)
    wanted = [candidate(item) for item in scan(photos, BY_FOLDER)]
    store = photos.store(writing=True)
    store.delete(photos.key("s001/0.jpg"))
    original = (folder / "s002" / "0.jpg").read_bytes()
    store.put(photos.key("s002/0.jpg"), original[:-1] + b"?")
    got = list(bucket_source.read(photos, wanted))
    assert [one for one, _ in got] == wanted
    for one, data in got:
        if one.path == "s001/0.jpg":
            assert data == Unread(one.path, "missing")
        elif one.path == "s002/0.jpg":
            assert isinstance(data, Unread)
            assert "changed" in data.detail
        else:
            assert data == (folder / one.path).read_bytes()


def test_a_large_object_is_not_held_in_memory(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit an object comes in parts, as a map of a file that has no name."""
    monkeypatch.setattr(bucket_source, "IN_MEMORY", 100_000)
    monkeypatch.setattr(bucket_source, "PART", 30_000)
    image = photo(1) + bytes(range(256)) * 1000
    photos.store(writing=True).put(photos.key("s/1.jpg"), io.BytesIO(image))
    ((_, data),) = bucket_source.read(photos, [candidate(next(scan(photos, BY_FOLDER)))])
    assert isinstance(data, mmap.mmap)
    assert data[:] == image


def test_no_more_is_ahead_than_the_bounds_allow(
    photos: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fetched and not yet packed is bounded by number and by bytes."""
    put_folder(folder, photos)
    wanted = [candidate(item) for item in scan(photos, BY_FOLDER)]
    begun: list[str] = []
    real = bucket_source._one

    def counted(source: Bucket, one: Candidate) -> bytes | mmap.mmap | Unread:
        begun.append(one.path)
        return real(source, one)

    monkeypatch.setattr(bucket_source, "_one", counted)
    for bound, most in (("AHEAD", 3), ("BYTES_AHEAD", wanted[0].bytes + wanted[1].bytes)):
        with monkeypatch.context() as patch:
            patch.setattr(bucket_source, bound, most)
            begun.clear()
            reading = bucket_source.read(photos, wanted)
            next(reading)
            assert 1 <= len(begun) <= 3
            assert isinstance(reading, Generator)
            reading.close()


def test_a_store_that_is_not_there_is_no_missing_photo(photos: Bucket) -> None:
    """An absent bucket or an empty prefix fails as a whole: its photos are not `missing`."""
    one = Candidate("s/1.jpg", "s", 3, 1, "image/jpeg", 1)
    for absent in (Bucket("s3://nowhere", "x"), photos):
        with pytest.raises(SourceFailed) as failed:
            list(bucket_source.read(absent, [one]))
        assert failed.value.code == "source_missing"
    with pytest.raises(Refused) as refused:
        list(scan(Bucket("s3://nowhere", "x"), BY_FOLDER))
    assert refused.value.code == "missing_folder"


def test_wrong_keys_are_told(
    here: S3Server, photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that the store does not take fail the source, with the cure."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{here.url}/")  # a store of its own, opened anew
    one = Candidate("s/1.jpg", "s", 3, 1, "image/jpeg", 1)
    with pytest.raises(SourceFailed, match="may not be read with these keys"):
        list(bucket_source.read(photos, [one]))


def test_an_odd_name_is_one_objects_fault(photos: Bucket) -> None:
    """A key that the library cannot ask for is unread; it does not stop the others, nor does an
    empty object."""
    odd = Candidate("s/\x07.jpg", "s", 3, 1, "image/jpeg", 1)
    photos.store(writing=True).put(photos.key("s/1.jpg"), b"")
    good = candidate(next(scan(photos, BY_FOLDER)))
    (_, told), (_, data) = bucket_source.read(photos, [odd, good])
    assert isinstance(told, Unread)
    assert data == b""
