"""Objects that kill whoever packs them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sharing.export import objects as packing
from sharing.export.minimise import minimise
from sharing.export.staging import Staging
from sharing.export.suspects import DEATHS, DETAIL, InHand, killers
from tests.sharing.export.packages import PSEUDONYMS, pack
from tests.sharing.export.photos import candidates, dataset

EXPORT = "exp_1"
NEVER_RETURNS = """
from pathlib import Path
from sharing.export.suspects import InHand, Watch
with InHand(Watch(Path({mark!r}), (), 0.3)) as hand:
    hand.takes("harmless")
    hand.takes("endless")
    sorted(iter(int, 1))  # in C, where no Python handler of a signal would ever run
"""


def test_attempts_that_die_on_one_object_name_it(tmp_path: Path) -> None:
    """Thrice in hand when an attempt died is a killer; twice is chance; nothing in hand is none."""
    marks = []
    for number, name in enumerate(["a", "b", "a", "b", "a", "", "", ""]):
        marks.append(tmp_path / str(number))
        marks[-1].write_text(name.ljust(64))
    assert DEATHS == 3
    assert killers([*marks, tmp_path / "gone"]) == {"a"}


def test_an_object_that_never_returns_ends_its_process(tmp_path: Path) -> None:
    """Code that never comes back, and never looks at a signal, is ended, and its mark names it."""
    mark = tmp_path / "mark"
    program = NEVER_RETURNS.format(mark=str(mark))
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode == -signal.SIGVTALRM
    assert killers([mark] * DEATHS) == {"endless"}


def test_waiting_is_no_offence(tmp_path: Path) -> None:
    """A slow store costs no processor time, so nothing is ended by it."""
    staging = Staging(tmp_path, EXPORT)
    staging.attempt(0, 1)
    with InHand(staging.watch(0, 1, 0.5)) as hand:
        hand.takes("slow")
        time.sleep(0.8)


def test_a_shard_goes_on_without_the_object_that_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that made three attempts fail beyond repair is left out by the fourth, which packs
    all others; the attempt that ended well leaves no mark."""
    source = tmp_path / "source"
    dataset(source)
    chosen = candidates(source)
    poison = (source / chosen[3].path).read_bytes()

    def exhausted(data: bytes, media_type: str) -> object:
        if data == poison:
            raise MemoryError
        return minimise(data, media_type)

    monkeypatch.setattr(packing, "minimise", exhausted)
    staging = Staging(tmp_path, EXPORT)
    for fence in range(1, DEATHS + 1):
        with pytest.raises(MemoryError):
            pack(source, staging.attempt(0, fence), 0, chosen, watch=staging.watch(0, fence, 60))
    fence = DEATHS + 1
    done = pack(source, staging.attempt(0, fence), 0, chosen, watch=staging.watch(0, fence, 60))
    assert done.objects == len(chosen) - 1
    assert [(one.path, one.detail) for one in done.unread] == [(chosen[3].path, DETAIL)]
    assert not staging.watch(0, fence + 1, 60).earlier[DEATHS:]


def test_what_no_rule_foresaw_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object on which cleaning itself goes wrong is left out at once, and never passed on."""
    source = tmp_path / "source"
    dataset(source)
    chosen = candidates(source)

    def broken(data: bytes, media_type: str) -> object:
        raise IndexError("beyond the end")

    monkeypatch.setattr(packing, "minimise", broken)
    done = pack(source, tmp_path / "staging", 0, chosen)
    assert done.objects == 0
    assert {one.detail for one in done.unread} == {"cannot be cleaned (IndexError)"}


def test_the_name_fits_into_a_mark() -> None:
    """An object's name in the package is shorter than the room that a mark has."""
    assert len(PSEUDONYMS.object("a/b.jpg")) <= 64
