"""A full disk, a read-only place and a crash: real ones, and nothing half done stays visible."""

import ctypes
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from sharing.export.deliver import deliver
from sharing.export.destination import DestinationFailed
from sharing.export.erase import erase
from sharing.export.seal import seal
from tests.sharing.export.packages import HEADER, KEY, files, pack, staged
from tests.sharing.export.photos import candidates, dataset

LIBC = ctypes.CDLL(None, use_errno=True)
READ_ONLY, REMOUNT = 1, 32
PATIENCE = 120.0  # seconds


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small dataset."""
    dataset(tmp_path / "source")
    return tmp_path / "source"


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """A file system of its own, of that size, mounted at `place`; skips where that is forbidden."""
    place.mkdir(exist_ok=True)
    if LIBC.mount(b"none", bytes(place), b"tmpfs", 0, f"size={size}".encode()) != 0:
        pytest.skip("Mounting a file system needs root.")
    try:
        yield
    finally:
        LIBC.umount2(bytes(place), 2)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_full_disk(source: Path, tmp_path: Path, packing: str) -> None:
    """On a full disk the shard fails with what to do, nothing is visible, and later it works."""
    place = tmp_path / "disk"
    with small_disk(place, "16k"):
        with pytest.raises(DestinationFailed) as failed:
            pack(source, place / "staging", 0, candidates(source), packing=packing)
        assert failed.value.code == "destination_full"
        assert "free some space" in failed.value.detail
        assert files(place) == {}
        LIBC.mount(b"none", bytes(place), b"tmpfs", REMOUNT, b"size=8m")
        result = pack(source, place / "staging", 0, candidates(source), packing=packing)
        assert result.objects == 12


@pytest.mark.parametrize("age", [False, True])
def test_a_file_that_may_not_grow(source: Path, tmp_path: Path, age: bool) -> None:
    """A limit on file sizes is a full destination too, also in the middle of encrypting."""
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj" if age else None
    with largest_file(4096), pytest.raises(DestinationFailed) as failed:
        pack(source, tmp_path / "staging", 0, candidates(source), age_recipient=recipient)
    assert failed.value.code == "destination_full"
    assert files(tmp_path / "staging") == {}


def test_a_read_only_destination(source: Path, tmp_path: Path) -> None:
    """A read-only place fails with what to do, wherever in the pipe it is noticed."""
    place = tmp_path / "disk"
    shards = staged(source, tmp_path / "staging", candidates(source))
    sealed = seal(tmp_path / "staging", shards, HEADER, KEY)
    with small_disk(place, "8m"):
        staged(source, place / "earlier", candidates(source))
        LIBC.mount(b"none", bytes(place), b"tmpfs", REMOUNT | READ_ONLY, None)
        for act in (
            lambda: pack(source, place / "staging", 0, candidates(source)),
            lambda: seal(place / "earlier", shards, HEADER, KEY),
            lambda: deliver(tmp_path / "staging", place / "delivered", sealed.envelope),
            lambda: erase(place / "earlier"),
        ):
            with pytest.raises(DestinationFailed) as failed:
                act()
            assert failed.value.code == "destination_read_only"
            assert str(place) in failed.value.detail


def test_a_destination_that_is_a_file(source: Path, tmp_path: Path) -> None:
    """Any other trouble with the place is named as it is."""
    (tmp_path / "staging").write_text("in the way")
    with pytest.raises(DestinationFailed) as failed:
        pack(source, tmp_path / "staging", 0, candidates(source))
    assert failed.value.code == "destination_failed"


def dies_inside(source: Path, staging: Path) -> None:
    """Packs, and is killed with half of it done."""

    def die(objects: int, _: int) -> None:
        if objects >= 12:
            os.kill(os.getpid(), signal.SIGKILL)

    pack(source, staging, 0, candidates(source), progress=die)


def test_a_killed_attempt_is_invisible(source: Path, tmp_path: Path) -> None:
    """After kill -9 inside a shard nothing can be seen, and a redo gives what it should."""
    staging, clean = tmp_path / "staging", tmp_path / "clean"
    chosen = candidates(source)
    packer = get_context("spawn").Process(target=dies_inside, args=(source, staging))
    packer.start()
    packer.join(PATIENCE)
    assert packer.exitcode == -9
    assert {name for name in files(staging) if not name.startswith(".work/")} == set()
    again = pack(source, staging, 0, chosen, attempt="2")
    assert again == pack(source, clean, 0, chosen)
    assert files(staging) == files(clean)


def test_erase(source: Path, tmp_path: Path) -> None:
    """Erasing counts the files, leaves nothing, follows no link, and may be done twice."""
    staging = tmp_path / "staging"
    staged(source, staging, candidates(source))
    (staging / "link").symlink_to(source)
    count = len(files(staging))
    assert erase(staging) >= count
    assert not staging.exists()
    assert erase(staging) == 0
    assert len(files(source)) == 12
