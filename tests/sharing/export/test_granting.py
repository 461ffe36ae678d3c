"""Limits of bytes a second, shared out: by the clock of a test, and among real processes."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping

import pytest

from sharing.export import pace
from sharing.export.granting import Granting, Job
from sharing.export.pace import Pace, Stopped
from workflows.activities import hands

TICK = 0.05
PHOTO = 50_000


def moved(
    seconds: float,
    speeds: Mapping[int, float],
    worker: float | None,
    limits: Mapping[str, float],
    exports: Mapping[int, str],
) -> dict[int, float]:
    """What each job moved in so long, photo by photo, where by itself it would go at `speeds`."""
    granting, used, granted = Granting(), dict.fromkeys(speeds, 0.0), dict.fromkeys(speeds, 0.0)
    for _ in range(round(seconds / TICK)):
        jobs = [Job(n, exports[n], used[n], granted[n]) for n in speeds]
        granted = granting.poured(jobs, worker, limits, TICK)
        for n, speed in speeds.items():
            could = speed * TICK
            while used[n] <= granted[n] and could > 0:
                used[n] += min(PHOTO, could)
                could -= PHOTO
    return used


@pytest.mark.parametrize("limit", [200_000, 1_000_000, 20_000_000])
@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_a_limit_holds_within_a_tenth(limit: int, jobs: int) -> None:
    """However many jobs share a worker's limit, together they move it to within 10 % over 5 s,
    beside the one photo that each may be ahead."""
    speeds = dict.fromkeys(range(jobs), 1e9)
    used = moved(5, speeds, limit, {}, dict.fromkeys(speeds, "exp"))
    assert abs(sum(used.values()) - 5 * limit) <= 0.1 * 5 * limit + jobs * PHOTO


def test_what_one_job_leaves_another_takes() -> None:
    """A job that is slow by itself costs the others nothing: the whole limit is used."""
    used = moved(5, {0: 100_000, 1: 1e9}, 2_000_000, {}, {0: "a", 1: "b"})
    assert sum(used.values()) == pytest.approx(10_000_000, rel=0.1)
    assert used[0] == pytest.approx(500_000, rel=0.2)


def test_both_limits_hold_at_once() -> None:
    """An export's own limit holds within the worker's, and the rest goes to the other export."""
    used = moved(5, {0: 1e9, 1: 1e9}, 4_000_000, {"a": 1_000_000}, {0: "a", 1: "b"})
    assert used[0] == pytest.approx(5_000_000, rel=0.1)
    assert used[1] == pytest.approx(15_000_000, rel=0.1)


def test_nothing_holds_who_has_no_limit() -> None:
    """Without any limit a job is granted everything, and once one is gone again too."""
    granting = Granting()
    job = Job(1, "a", 5.0, 0.0)
    assert granting.poured([job], None, {}, TICK) == {1: float("inf")}
    slow = granting.poured([Job(1, "a", 5.0, float("inf"))], None, {"a": 100.0}, TICK)[1]
    assert slow <= 5.0 + 100.0
    assert granting.poured([Job(1, "a", 5.0, slow)], None, {}, TICK) == {1: float("inf")}


def packs(own: Pace, seconds: float) -> int:
    """Moves photos for so long, at its pace; gives how many bytes."""
    until, size = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        own(size // PHOTO, size)
        size += PHOTO
    return size


def hangs(own: Pace) -> None:
    """Moves one photo and is killed, in the middle of whatever it does."""
    own(1, PHOTO)
    os.kill(os.getpid(), signal.SIGKILL)


async def shared(limit: float, seconds: float, places: list[Pace]) -> None:
    """Shares a limit out for so long, as a worker does."""
    granting, then = Granting(), time.monotonic()
    end = then + seconds
    while then < end:
        await asyncio.sleep(TICK)
        at = time.monotonic()
        jobs = [Job(p.place, "exp", float(p.moved[1]), p.granted) for p in places]
        for place, granted in granting.poured(jobs, limit, {}, at - then).items():
            places[place].grant(granted)
        then = at


async def test_processes_keep_to_a_limit_together() -> None:
    """Two real processes move what one limit allows, to within 10 % over 5 s; a machine that is
    busy with other things gets three tries."""
    board, limit = pace.board(), 4_000_000
    workers = hands.processes(2, board)
    places = [Pace(board.name, 0), Pace(board.name, 1)]
    await asyncio.gather(*(workers.run(packs, _begun(p, float("inf")), 0.1) for p in places))
    off = []
    for _ in range(3):
        for place in places:
            place.begin(0.0)
        *sizes, _none = await asyncio.gather(
            *(workers.run(packs, place, 5.0) for place in places), shared(limit, 5.2, places)
        )
        off.append(abs(sum(sizes) / (5 * limit) - 1))  # type: ignore[arg-type]
        if off[-1] <= 0.1:
            return
    raise AssertionError(f"off by {off}")


async def test_a_process_that_is_killed_holds_up_nobody() -> None:
    """kill -9 of a process on the board leaves nothing locked: the next one packs on."""
    board = pace.board()
    workers = hands.processes(2, board)
    with pytest.raises(Exception, match="terminated abruptly"):
        await workers.run(hangs, _begun(Pace(board.name, 0), float("inf")))
    assert await workers.run(packs, _begun(Pace(board.name, 0), float("inf")), 0.1) > 0


async def test_a_job_that_is_stopped_ends_at_once() -> None:
    """A job that waits for its limit, in another process, ends within half a second of being
    stopped."""
    board = pace.board()
    workers, own = hands.processes(2, board), _begun(Pace(board.name, 0), 0.0)
    job = asyncio.create_task(workers.run(packs, own, 60.0))
    async with asyncio.timeout(60.0):
        while not own.waited():
            await asyncio.sleep(0.01)
    own.stop()
    with pytest.raises(Stopped):
        await asyncio.wait_for(job, 50.0)


def _begun(own: Pace, granted: float) -> Pace:
    own.begin(granted)
    return own
