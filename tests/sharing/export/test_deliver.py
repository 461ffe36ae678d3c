"""deliver can be stopped anywhere and called again."""

import os
from pathlib import Path
from typing import Any

import pytest

from sharing.export.deliver import deliver
from sharing.export.destination import DestinationFailed, erase_tree
from sharing.export.seal import Sealed, seal
from sharing.export.verify import verify
from tests.sharing.export.packages import HEADER, KEY, files, staged
from tests.sharing.export.photos import candidates, dataset


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    """A place to stage in."""
    return tmp_path / "home" / "staging"


@pytest.fixture
def sealed(tmp_path: Path, staging: Path) -> Sealed:
    """A package, sealed and not yet delivered."""
    dataset(tmp_path / "source")
    shards = staged(tmp_path / "source", staging, candidates(tmp_path / "source"))
    return seal(staging, shards, HEADER, KEY)


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """Where the partner finds it."""
    return tmp_path / "delivered" / "partner" / "export"


def test_it_moves_as_a_whole(staging: Path, sealed: Sealed, destination: Path) -> None:
    """The destination holds the package with its seal and without parts; staging is gone."""
    before = {name: data for name, data in files(staging).items() if "parts/" not in name}
    deliver(staging, destination, sealed.envelope)
    assert files(destination) == before | {"seal.json": sealed.envelope}
    assert not staging.exists()
    assert verify(destination, KEY.public_key()).objects == 12


def test_twice_is_once(staging: Path, sealed: Sealed, destination: Path) -> None:
    """A second call changes nothing."""
    deliver(staging, destination, sealed.envelope)
    before = files(destination)
    deliver(staging, destination, sealed.envelope)
    assert files(destination) == before


STEPS = ["open", "fsync", "rename", "replace", "unlink", "rmdir", "mkdir"]


class Crash(BaseException):
    """The process ends here."""


def test_a_crash_at_any_step(
    tmp_path: Path,
    staging: Path,
    sealed: Sealed,
    destination: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever it is stopped, calling it again ends in the same state."""
    for across in (False, True):
        crashes = 0
        while _stopped_at(staging, sealed, destination, crashes, across, monkeypatch):
            crashes += 1
        assert crashes > 10
        assert verify(destination, KEY.public_key()).objects == 12
        assert not staging.exists()
        assert list(destination.parent.iterdir()) == [destination]
        destination.rename(tmp_path / f"checked-{across}")
        dataset(tmp_path / f"source-{across}")
        again = candidates(tmp_path / f"source-{across}")
        sealed = seal(staging, staged(tmp_path / f"source-{across}", staging, again), HEADER, KEY)


def _stopped_at(
    staging: Path,
    sealed: Sealed,
    destination: Path,
    after: int,
    across: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> bool:
    """Delivers with a crash after that many steps on the disk; False if there were fewer."""
    left = after

    def counted(real: Any) -> Any:
        def step(*given: Any, **named: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return real(*given, **named)

        return step

    def rename_across(self: Path, target: Path) -> Path:
        if self == staging:
            raise OSError(18, "Invalid cross-device link")
        return self.replace(target)

    with monkeypatch.context() as patched:
        if across:
            patched.setattr(Path, "rename", rename_across)
        for name in STEPS:
            patched.setattr(os, name, counted(getattr(os, name)))
        try:
            deliver(staging, destination, sealed.envelope)
        except Crash:
            return True
    return False


def test_another_file_system(staging: Path, sealed: Sealed, tmp_path: Path) -> None:
    """To another file system it is copied beside the destination, then renamed."""
    shared_memory = Path("/dev/shm")  # noqa: S108 (another file system is the point)
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("There is no second file system here.")
    destination = shared_memory / f"clearance-test-{os.getpid()}" / "export"
    try:
        deliver(staging, destination, sealed.envelope)
        assert verify(destination, KEY.public_key()).objects == 12
        assert list(destination.parent.iterdir()) == [destination]
        assert not staging.exists()
    finally:
        erase_tree(destination.parent)


def test_nothing_is_written_over(staging: Path, sealed: Sealed, destination: Path) -> None:
    """Where something else lies already, delivery is refused and both stay."""
    destination.mkdir(parents=True)
    (destination / "theirs.txt").write_text("theirs")
    with pytest.raises(DestinationFailed, match="move it away"):
        deliver(staging, destination, sealed.envelope)
    assert files(destination) == {"theirs.txt": b"theirs"}
    assert staging.exists()


def test_nothing_to_deliver(tmp_path: Path, destination: Path) -> None:
    """A package that is neither staged nor delivered is an error that says so."""
    with pytest.raises(DestinationFailed, match="export it again"):
        deliver(tmp_path / "nowhere", destination, b"{}")
