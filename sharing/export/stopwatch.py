"""Where an export's time goes, stage by stage: the slow one is then no guess.

A lap costs about 0.1 microseconds, four of them an object less than one in a hundred."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Step(StrEnum):
    """The stages of the pipe, and what the longest of them, packing, consists of.

    `select` asks for consent, `read` waits for the source, `minimise` strips, `hash` digests each
    object and writes its row, `pack` writes (and encrypts) the shard and its digest, `sync` waits
    for the disk, `commit` for the database. `processor` is what of all that the packing itself
    computed, rather than waited."""

    SELECT = "select"
    READ = "read"
    MINIMISE = "minimise"
    HASH = "hash"
    PACK = "pack"
    SYNC = "sync"
    COMMIT = "commit"
    SEAL = "seal"
    DELIVER = "deliver"
    ERASE = "erase"
    PROCESSOR = "processor"


class Stopwatch:
    """Adds up nanoseconds by step, from one lap to the next."""

    __slots__ = ("_last", "_processor", "_spent")

    def __init__(self) -> None:
        self._spent: dict[Step, int] = {}
        self._processor = time.thread_time_ns()
        self._last = time.perf_counter_ns()

    def lap(self, step: Step) -> None:
        """The time since the last lap went into this."""
        now = time.perf_counter_ns()
        self._spent[step] = self._spent.get(step, 0) + now - self._last
        self._last = now

    def microseconds(self) -> dict[str, int]:
        """What was spent so far, and what of it this thread computed."""
        spent = {str(step): nanoseconds // 1000 for step, nanoseconds in self._spent.items()}
        computed = (time.thread_time_ns() - self._processor) // 1000
        return {**spent, str(Step.PROCESSOR): computed}


class Spent(Counter[str]):
    """Microseconds by step, of work that is done here and there."""

    @contextmanager
    def on(self, step: Step) -> Iterator[None]:
        """What the block takes goes into this step, also where it raises."""
        begin = time.perf_counter_ns()
        try:
            yield
        finally:
            self[str(step)] += (time.perf_counter_ns() - begin) // 1000
