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
    """Some threads or processes, opened when they are first needed."""

    def __init__(self, opened: Callable[[], Executor]) -> None:
        self._opened = opened
        self._pool = opened()
        self._working = set[Future[Any]]()

    async def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """What `work` returns or raises. Raises BrokenProcessPool where the process that had it in
        hand died; another one takes its place."""
        pool = self._pool
        try:
            future = pool.submit(work, *args, **named)
            self._working.add(future)
            future.add_done_callback(self._working.discard)
            return await asyncio.wrap_future(future)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = self._opened()
            raise

    def wait(self) -> None:
        """Blocks until all that is under way now has ended; nothing can interrupt it."""
        wait(tuple(self._working))


def threads(number: int) -> Hands:
    """Threads of this process."""
    return Hands(lambda: ThreadPoolExecutor(number))


def processes(number: int | None, board: Board) -> Hands:
    """Processes that end with this one, and know `board`; by default one for each core that it may
    use. In the place of a single one a thread does."""
    number = number or _cores()
    if number == 1:
        return threads(1)
    spawn = multiprocessing.get_context("spawn")
    return Hands(lambda: ProcessPoolExecutor(number, spawn, _begin, (board,)))


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
