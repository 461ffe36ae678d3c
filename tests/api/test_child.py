"""One part kept running: started again when it dies, ended for good when told."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api import child as kept
from api.child import Child, Part
from api.home import HomeInUse, command_line, end_leftovers, locked, record

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); " + SLEEP
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only the Linux kernel can do this")


def part(folder: Path, script: str, *arguments: str) -> Part:
    """A small Python program as a part."""
    command = (sys.executable, "-c", script, *arguments)
    return Part("thing", command, dict(os.environ), folder / "thing.log")


async def until(met: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits until something is true; fails if it does not become so."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def test_a_killed_part_is_started_again(tmp_path: Path) -> None:
    """After kill -9 a new process runs, and one line says what happened and where the log is."""
    told: list[str] = []
    thing = Child(part(tmp_path, SLEEP), told.append, lambda: None)
    await thing.start()
    first = thing.pid
    thing.kill()
    await until(lambda: thing.pid not in (None, first))
    await thing.stop(5)
    assert told == [
        f"The thing was ended by SIGKILL; starting it again in 0.2 s (log: {tmp_path}/thing.log)"
    ]


async def test_a_part_that_keeps_dying_is_given_more_time(tmp_path: Path) -> None:
    """The pause before the next start doubles with each death in a row."""
    told: list[str] = []
    thing = Child(part(tmp_path, "raise SystemExit(3)"), told.append, lambda: None)
    await thing.start()
    await until(lambda: thing.deaths >= 3)
    await thing.stop(5)
    assert [line.split(" again in ")[1].split(" (")[0] for line in told] == [
        "0.2 s",
        "0.4 s",
        "0.8 s",
    ]


async def test_its_output_is_in_its_log(tmp_path: Path) -> None:
    """What a part prints is appended to its log, and its last words can be quoted."""
    thing = Child(part(tmp_path, SLEEP), print, lambda: None)
    await thing.start()
    await until(lambda: thing.last_words() == "up")
    await thing.stop(5)


async def test_a_long_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log over the limit is kept as .1 and a new one begun."""
    monkeypatch.setattr(kept, "LOG_LIMIT", 10)
    (tmp_path / "thing.log").write_text("x" * 11)
    thing = Child(part(tmp_path, SLEEP), print, lambda: None)
    await thing.start()
    await until(lambda: thing.last_words() == "up")
    await thing.stop(5)
    assert (tmp_path / "thing.log.1").read_text() == "x" * 11


async def test_a_stubborn_part_is_killed(tmp_path: Path) -> None:
    """A part that ignores the polite signal is gone all the same when `stop` returns."""
    thing = Child(part(tmp_path, STUBBORN), print, lambda: None)
    await thing.start()
    await until(lambda: thing.last_words() == "up")
    pid = thing.pid
    assert pid is not None
    await thing.stop(0.2)
    assert command_line(pid) == ""


async def test_a_stopped_part_stays_down(tmp_path: Path) -> None:
    """Stopping during the pause after a death starts nothing any more."""
    thing = Child(part(tmp_path, "raise SystemExit(3)"), lambda line: None, lambda: None)
    await thing.start()
    await until(lambda: thing.deaths == 1)
    await thing.stop(5)
    deaths = thing.deaths
    await asyncio.sleep(0.5)
    assert (thing.pid, thing.deaths) == (None, deaths)


@LINUX
async def test_parts_die_with_whoever_started_them(tmp_path: Path) -> None:
    """kill -9 of the supervisor takes its parts along."""
    script = f"""
import asyncio, sys
from pathlib import Path
from api.child import Child, Part
async def main():
    command = (sys.executable, "-c", {SLEEP!r})
    thing = Child(Part("thing", command, {{}}, Path(sys.argv[1])), print, print)
    await thing.start()
    print(thing.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    supervisor = subprocess.Popen(  # noqa: ASYNC220 (it answers in a moment)
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    supervisor.stdout.readline()  # the empty line of `started`
    pid = int(supervisor.stdout.readline())
    assert command_line(pid)
    supervisor.kill()
    supervisor.wait()
    await until(lambda: not command_line(pid))


def test_a_home_is_used_once(tmp_path: Path) -> None:
    """A second user of a home is refused, and told who has it and what to do."""
    with locked(tmp_path):
        record(tmp_path, {"supervisor": 4711})
        with pytest.raises(HomeInUse, match=r"process 4711.*--home"), locked(tmp_path):
            pass
    with locked(tmp_path):
        pass


def _left(home: Path, *mention: str) -> subprocess.Popen[bytes]:
    left = subprocess.Popen([sys.executable, "-c", SLEEP, *mention], stdout=subprocess.PIPE)
    assert left.stdout is not None
    left.stdout.readline()
    record(home, {"processes": {"thing": left.pid}})
    return left


def test_leftovers_are_ended(tmp_path: Path) -> None:
    """A recorded process whose command line names the home is ended by the next start."""
    left = _left(tmp_path, "--part-of", str(tmp_path))
    assert end_leftovers(tmp_path, patience=0.5) == ["thing"]
    assert left.wait(5) in (-signal.SIGTERM, -signal.SIGKILL)


@pytest.mark.parametrize("mention", ["", "-other", "/../elsewhere"])
def test_strangers_are_left_alone(tmp_path: Path, mention: str) -> None:
    """A process that got a recorded id since, and does not name this very home, is not touched."""
    home = tmp_path / "home"
    home.mkdir()
    stranger = _left(home, f"{home}{mention}" if mention == "-other" else mention)
    assert end_leftovers(home) == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_torn_record_is_no_record(tmp_path: Path) -> None:
    """A record that was cut short by a crash stops nothing from starting."""
    (tmp_path / "run.json").write_text('{"processes": {"thi')
    assert end_leftovers(tmp_path) == []
