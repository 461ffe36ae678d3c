"""Who does an export worker's blocking work: processes that pack, and threads that hand over.

Packing is done in one process a core, as threads would share one interpreter's lock."""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar

from sharing.export.pace import Board, join

P = ParamSpec("P")
T = TypeVar("T")


class Hands:
    """So many hands, each a thread or a process of its own: one that dies takes nobody else's work
    with it. Each is opened when it is first needed."""

    def __init__(self, number: int, opened: Callable[[], Executor]) -> None:
        self.number = number
        self._opened = opened
        self._free: list[Executor | None] = [None] * number
        self._turn = asyncio.Semaphore(number)
        self._working = set[Future[Any]]()

    async def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """What `work` returns or raises. Raises BrokenProcessPool where the process that had it in
        hand died; another one takes its place."""
        await self._turn.acquire()
        hand = self._free.pop() or self._opened()
        try:
            future = hand.submit(work, *args, **named)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._give_back(None)
            raise
        self._working.add(future)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda done: self._done(loop, hand, done))
        return await asyncio.wrap_future(future)

    def wait(self) -> None:
        """Blocks until all that is under way now has ended; nothing can interrupt it."""
        wait(tuple(self._working))

    def _done(self, loop: asyncio.AbstractEventLoop, hand: Executor, done: Future[Any]) -> None:
        """The hand is free once the work has ended, also where nobody waits for it any more."""
        self._working.discard(done)
        died = not done.cancelled() and isinstance(done.exception(), BrokenProcessPool)
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._give_back, None if died else hand)

    def _give_back(self, hand: Executor | None) -> None:
        self._free.append(hand)
        self._turn.release()


def threads(number: int) -> Hands:
    """Threads of this process."""
    return Hands(number, lambda: ThreadPoolExecutor(1))


def processes(number: int | None, board: Board) -> Hands:
    """Processes that end with this one, and know `board`; by default one for each core that it may
    use. In the place of a single one a thread does."""
    number = number or _cores()
    if number == 1:
        return threads(1)
    spawn = multiprocessing.get_context("spawn")
    return Hands(number, lambda: ProcessPoolExecutor(1, spawn, _begin, (board,)))


def apart() -> Hands:
    """One process for what may end whoever opens it: nobody else's work is in it."""
    spawn = multiprocessing.get_context("spawn")
    return Hands(1, lambda: ProcessPoolExecutor(1, spawn, _end_with_parent))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin(board: Board) -> None:
    join(board)
    _end_with_parent()


def _end_with_parent() -> None:
    """Whoever packs for a worker that is gone, be it by kill -9, writes nothing more."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
