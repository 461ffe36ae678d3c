"""Hands: processes of their own, one of which may die."""

import asyncio
import os
import threading
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from sharing.export.pace import board
from tests.faults.depot import PATIENCE
from workflows.activities import hands


def slow() -> int:
    """Says who did it, after a while."""
    time.sleep(1.0)
    return os.getpid()


@pytest.mark.slow
async def test_one_that_dies_takes_nobody_elses_work_with_it() -> None:
    """While one process dies the other one finishes, and a new one takes the dead one's place."""
    both = hands.processes(2, board())
    working = asyncio.create_task(both.run(slow))
    await asyncio.sleep(0.1)
    with pytest.raises(BrokenProcessPool):
        await both.run(os._exit, 1)
    assert await working > 0
    assert len(set(await asyncio.gather(both.run(slow), both.run(slow)))) == 2


async def test_no_more_is_under_way_than_there_are_hands() -> None:
    """Who was cancelled while its work went on has not freed a hand: that is free when it ends."""
    one = hands.threads(1)
    begun, over = threading.Event(), threading.Event()

    def works() -> None:
        begun.set()
        over.wait()

    first = asyncio.create_task(one.run(works))
    try:
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        first.cancel()
        second = asyncio.create_task(one.run(time.sleep, 0))
        await asyncio.wait([second], timeout=0.3)
        assert not second.done()
    finally:
        over.set()
    await second
