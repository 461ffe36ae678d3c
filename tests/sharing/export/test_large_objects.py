"""Objects far larger than the memory that a worker may take.

Nearly all of each photo here is a hole in its file: zeros that cost nothing to keep."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyrage
import pytest

from sharing.export import source as reading
from sharing.export.iso_boxes import written
from sharing.export.minimise import minimise
from sharing.export.pack import SourceFailed
from sharing.export.unreadable import Unreadable
from sharing.export.windows import WINDOW
from tests.sharing.export.carriers import (
    SPOILED,
    Planted,
    coded,
    encoded,
    heic,
    riff_chunks,
    sized,
)
from tests.sharing.export.packages import files, pack
from tests.sharing.export.photos import candidates, dataset, jpeg, picture, with_secrets

TWO_GB = 2 * 1024**3
LIMIT_MIB = 512

Huge = tuple[bytes, bytes]  # what stands before the hole and behind it


def huge_jpeg(_: int) -> Huge:
    """Zeros in the image data, which are as good as any."""
    whole = with_secrets(jpeg())
    end = whole.rindex(b"\xff\xd9") - 40
    return whole[:end], whole[end:]


def huge_png(hole: int) -> Huge:
    """Zeros in a private chunk, whose check sum has to be right all the same."""
    total, zeros = zlib.crc32(b"prVt"), bytes(1 << 24)
    for at in range(0, hole, len(zeros)):
        total = zlib.crc32(zeros[: min(len(zeros), hole - at)], total)
    image = encoded("PNG")
    start = image[:33] + hole.to_bytes(4, "big") + b"prVt"
    return start, total.to_bytes(4, "big") + image[33:]


def huge_webp(hole: int) -> Huge:
    """Zeros behind the image data."""
    [(kind, image)] = riff_chunks(encoded("WEBP"))
    size = len(image) + hole
    start = b"RIFF" + (12 + size + size % 2).to_bytes(4, "little") + b"WEBP"
    return start + kind + size.to_bytes(4, "little") + image, bytes(size % 2)


def huge_heic(hole: int) -> Huge:
    """Zeros behind the slice of the image."""
    hvcc, data = coded(picture((64, 64)))
    image = Planted(b"hvc1", data, [written(b"hvcC", hvcc), sized(64, 64)])
    whole = heic([image], [])
    whole = whole[: whole.index(data) + len(data)]
    for size, mark in ((len(data), b"iloc"), (len(data) - 4, data[4:20])):
        at = whole.index(size.to_bytes(4, "big"), whole.index(mark) - 4 * (mark != b"iloc"))
        whole = whole[:at] + (size + hole).to_bytes(4, "big") + whole[at + 4 :]
    at = whole.index(b"mdat")
    return whole[: at - 4] + (8 + len(data) + hole).to_bytes(4, "big") + whole[at:], b""


HUGE: dict[str, Callable[[int], Huge]] = {
    "jpg": huge_jpeg,
    "png": huge_png,
    "webp": huge_webp,
    "heic": huge_heic,
}


def with_hole(file: Path, kind: str, hole: int) -> int:
    """Writes such a photo; returns its size in bytes."""
    start, end = HUGE[kind](hole)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        out.write(start)
        out.seek(len(start) + hole)
        out.write(end)
        out.truncate(len(start) + hole + len(end))
    return file.stat().st_size


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every object counts as too large for memory."""
    monkeypatch.setattr(reading, "IN_MEMORY", 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "packing", "age", "hole"),
    [
        ("jpg", "webdataset", True, TWO_GB),
        ("jpg", "objects", False, TWO_GB // 5),
        ("png", "webdataset", False, TWO_GB // 5),
        ("webp", "objects", False, TWO_GB // 5),
        ("heic", "webdataset", False, TWO_GB // 5),
    ],
)
def test_two_gigabytes_in_little_memory(
    tmp_path: Path, kind: str, packing: str, age: bool, hole: int
) -> None:
    """One object of 2 GB passes through a process that never takes more than 512 MiB, nor much
    more than it had before; what else there is does the same with 400 MB."""
    size = with_hole(tmp_path / "source/anna" / f"huge.{kind}", kind, hole)
    told = _packed(tmp_path, packing, age)
    assert told["unread"] == []
    assert told["peak"] <= LIMIT_MIB
    assert told["peak"] - told["before"] < 200
    if kind != "png":  # whose size is in a chunk that goes
        assert size * 0.99 < told["bytes"] <= size
    [file] = told["files"]
    assert (tmp_path / "staging" / file).stat().st_size >= told["bytes"]


def _packed(home: Path, packing: str, age: bool) -> dict[str, Any]:
    recipient = str(pyrage.x25519.Identity.generate().to_public()) if age else ""
    command = [
        sys.executable, "-m", "tests.sharing.export.packing",
        str(home / "source"), str(home / "staging"), packing, recipient,
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


def test_just_below_what_is_mapped(tmp_path: Path) -> None:
    """The largest objects that are held in memory, several of them, take no more than may be."""
    for name in "abc":
        with_hole(tmp_path / "source/anna" / f"{name}.jpg", "jpg", reading.IN_MEMORY - 8192)
    told = _packed(tmp_path, "objects", True)
    assert told["unread"] == []
    assert len(told["files"]) == 3
    assert told["peak"] <= LIMIT_MIB


@pytest.mark.parametrize("age", [False, True])
@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_mapped_or_not_the_package_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str, age: bool
) -> None:
    """An object that is looked at in windows leaves as one that is held in memory does."""
    dataset(tmp_path / "source", subjects=2)
    for number, (name, make) in enumerate(SPOILED.items()):
        (tmp_path / "source/subject-0" / f"{number}.{name.split(',')[0]}").write_bytes(make())
    with_hole(tmp_path / "source/subject-1/huge.jpg", "jpg", 2 * WINDOW + 17)
    with_hole(tmp_path / "source/subject-1/huge.webp", "webp", WINDOW)
    chosen = candidates(tmp_path / "source")
    identity = pyrage.x25519.Identity.generate()
    results = []
    for limit in (0, 1 << 40):
        monkeypatch.setattr(reading, "IN_MEMORY", limit)
        staging = tmp_path / str(limit)
        result = pack(
            tmp_path / "source", staging, 0, chosen,
            packing=packing, age_recipient=str(identity.to_public()) if age else None,
        )  # fmt: skip
        assert result.unread == ()
        for file in result.files:
            with (staging / file.path).open("rb") as data:
                assert file_digest(data, "sha256").hexdigest() == file.sha256
        found = files(staging)
        results.append(
            {
                name: pyrage.decrypt(data, [identity]) if name.endswith(".age") else data
                for name, data in found.items()
            }
        )
    assert results[0] == results[1]
    assert len(results[0]) > 1


@pytest.mark.parametrize("at", range(-4, 4))
def test_an_end_on_the_border_of_a_window(tmp_path: Path, small_memory: None, at: int) -> None:
    """The end marker is found wherever it stands, also half in one window and half in the next."""
    start, end = huge_jpeg(0)
    begin = start.index(b"\xff\xda") + 2
    begin += int.from_bytes(start[begin : begin + 2], "big")
    whole = start[:begin] + b"\x01" * (WINDOW + at) + end[40:]
    (tmp_path / "source/anna").mkdir(parents=True)
    (tmp_path / "source/anna/1.jpg").write_bytes(whole)
    result = pack(tmp_path / "source", tmp_path / "staging", 0, candidates(tmp_path / "source"))
    assert result.unread == ()
    assert result.bytes < len(whole)


def test_broken_ones_are_unread(tmp_path: Path, small_memory: None) -> None:
    """A large object that is cut off, or padded without end, is named as a small one is."""
    folder = tmp_path / "source/anna"
    folder.mkdir(parents=True)
    (folder / "cut.jpg").write_bytes(jpeg()[:-2])
    (folder / "filled.jpg").write_bytes(b"\xff\xd8" + b"\xff" * 200_000)
    (folder / "cut.png").write_bytes(encoded("PNG")[:-1])
    result = pack(tmp_path / "source", tmp_path / "staging", 0, candidates(tmp_path / "source"))
    assert sorted(unread.path for unread in result.unread) == [
        "anna/cut.jpg", "anna/cut.png", "anna/filled.jpg",
    ]  # fmt: skip


def test_what_changes_meanwhile_fails_the_shard(tmp_path: Path, small_memory: None) -> None:
    """A mapped file is read more than once: the shard fails if it was written to meanwhile."""
    [one, *_] = dataset(tmp_path / "source", subjects=1, each=1)
    seen = reading.read(tmp_path / "source", [one])
    _, data = next(seen)
    assert not isinstance(data, reading.Unread)
    os.utime(tmp_path / "source" / one.path, ns=(1, 1))
    with pytest.raises(SourceFailed, match="changed while it was exported"):
        next(seen)


def test_more_than_a_tar_holds(tmp_path: Path) -> None:
    """An object of more than 8 GiB is named, not tried, where a tar would have to hold it."""
    dataset(tmp_path / "source", subjects=1)
    with_hole(tmp_path / "source/subject-0/huge.jpg", "jpg", 8 * 1024**3)
    result = pack(tmp_path / "source", tmp_path / "staging", 0, candidates(tmp_path / "source"))
    assert [unread.path for unread in result.unread] == ["subject-0/huge.jpg"]
    assert "8 GiB" in result.unread[0].detail
    assert result.objects == 2


def test_a_file_that_shrank_is_unread(tmp_path: Path, small_memory: None) -> None:
    """A file that is shorter than its index says is not mapped beyond its end."""
    [one, *_] = dataset(tmp_path / "source", subjects=1, each=1)
    longer = replace(one, bytes=one.bytes + 1)
    [(_, found)] = list(reading.read(tmp_path / "source", [longer]))
    assert isinstance(found, reading.Unread)
    assert "changed since it was indexed" in found.detail


def test_pieces_without_end_are_refused() -> None:
    """A photo cut into very many pieces would fill the memory with their list: it is refused."""
    data = jpeg()
    comment, table = b"\xff\xfe\x00\x02", b"\xff\xdd\x00\x04\x00\x00"
    with pytest.raises(Unreadable, match="too many pieces"):
        minimise(data[:2] + (comment + table) * 70_000 + data[2:], "image/jpeg")
    hvcc, slices = coded(picture((64, 64)))
    message, slice_ = b"\x00\x00\x00\x02\x4e\x01", b"\x00\x00\x00\x02\x26\x01"
    image = Planted(
        b"hvc1", slices + (message + slice_) * 70_000, [written(b"hvcC", hvcc), sized(64, 64)]
    )
    with pytest.raises(Unreadable, match="too many pieces"):
        minimise(heic([image], []), "image/heic")
