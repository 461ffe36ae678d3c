"""The file of a shard: what was written, in order, whole on the disk, past the cache or not."""

import errno
import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from sharing.export import shard_file
from sharing.export.shard_file import ShardFile

BUFFER = 8192
SIZES = (0, 1, 4096, BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER, 3 * BUFFER + 5)


def pieces(size: int) -> list[bytes]:
    """`size` random bytes, cut anywhere."""
    chance = random.Random(size)
    whole, cuts = chance.randbytes(size), sorted(chance.choices(range(size + 1), k=5))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, size], strict=True)]


def written(path: Path, size: int) -> ShardFile:
    """A file of that size, written in pieces."""
    with ShardFile(path) as file:
        for piece in pieces(size):
            assert file.write(memoryview(piece)) == len(piece)
    return file


def demand_whole(path: Path, file: ShardFile, size: int) -> None:
    """Fails unless the file holds what was written and says so."""
    wanted = b"".join(pieces(size))
    assert path.read_bytes() == wanted
    assert (file.bytes, file.sha256) == (size, hashlib.sha256(wanted).hexdigest())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("direct", [True, False])
def test_every_byte_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, direct: bool
) -> None:
    """Whatever the size, and with a system that has no way past its cache too."""
    monkeypatch.setattr(shard_file, "_BUFFER", BUFFER)
    if not direct:
        monkeypatch.setattr(shard_file, "_DIRECT", 0)
    demand_whole(tmp_path / "data", written(tmp_path / "data", size), size)


def test_a_disk_with_larger_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses our blocks gets the bytes by way of the cache; one that takes a part of
    a write gets the rest."""
    real, refused = os.write, list[int]()

    def write(descriptor: int, data: memoryview) -> int:
        if not refused:
            refused.append(len(data))
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(descriptor, data[:1000])

    monkeypatch.setattr(shard_file, "_BUFFER", BUFFER)
    monkeypatch.setattr(shard_file, "_switch", lambda *_, on: on)
    monkeypatch.setattr(os, "write", write)
    file = written(tmp_path / "data", 3 * BUFFER + 5)
    monkeypatch.undo()
    assert refused == [BUFFER]
    demand_whole(tmp_path / "data", file, 3 * BUFFER + 5)


def test_nothing_is_overwritten_that_a_slow_disk_has_yet_to_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packing is far ahead of the disk, and waits for it."""
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        time.sleep(0.02)
        return real(descriptor, data)

    monkeypatch.setattr(shard_file, "_BUFFER", BUFFER)
    monkeypatch.setattr(os, "write", write)
    file = written(tmp_path / "data", 6 * BUFFER + 5)
    monkeypatch.undo()
    demand_whole(tmp_path / "data", file, 6 * BUFFER + 5)


def test_other_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not taken for one with larger blocks."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path / "data", 10)
