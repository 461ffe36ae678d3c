"""What an export worker has under way: how far each shard is, how fast it may go, and whether it
is still wanted. Once a second, and not more often, the database is told and asked."""

import asyncio
import logging
import math
import os
import socket
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from sharing.export import pace
from sharing.export.granting import Granting, Job
from sharing.export.pace import Pace
from sharing.records import pulses, steering
from sharing.records.database import Database
from sharing.records.pulses import SHARDS, Beat
from sharing.records.steering import Steered
from sharing.records.tables import new_id, now

TICK = 0.05  # seconds
SECOND = 1.0


@dataclass(slots=True, eq=False)
class Work:
    """One activity: a shard, with its pace, or another phase of an export."""

    export_id: str
    phase: str
    pace: Pace | None = None
    told: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class _Second:
    """What came together of one export in one second."""

    objects: int = 0
    bytes: int = 0
    limited: bool = False


class UnderWay:
    """All that this worker does at the moment. `limit` is the worker's own, in bytes a second."""

    def __init__(self, database: Database, limit: int | None) -> None:
        self.board = pace.board()
        self._database = database
        self._limit = limit
        self._worker = new_id(f"{socket.gethostname()[:40]}-{os.getpid()}")
        self._free = deque(range(pace.PLACES))
        self._works = list[Work]()
        self._moved: defaultdict[str, _Second] = defaultdict(_Second)
        self._steered = dict[str, Steered]()
        self._granting = Granting()
        self._ticking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def phase(self, export_id: str, phase: str) -> AsyncIterator[None]:
        """Something other than shards goes on for an export within the block."""
        async with self._at(Work(export_id, phase)):
            yield

    @asynccontextmanager
    async def shard(self, export_id: str, steered: Steered) -> AsyncIterator[Pace]:
        """A shard is packed within the block, at the pace that is given. Where it is left before
        the shard is packed, the process that has it in hand stops within moments."""
        self._steered[export_id] = steered
        place = self._free.popleft()
        own = Pace(self.board.name, place)
        slow = self._limit is not None or steered.limit is not None
        own.begin(0.0 if slow else math.inf)
        try:
            async with self._at(Work(export_id, SHARDS, own)):
                yield own
        finally:
            own.stop()
            self._free.append(place)  # to be taken last: whoever is still stopping reads it

    @asynccontextmanager
    async def _at(self, work: Work) -> AsyncIterator[None]:
        self._works.append(work)
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            self._note(work)
            self._works.remove(work)

    async def _tick(self) -> None:
        """As long as anything is under way."""
        then = said = monotonic()
        saying: asyncio.Task[None] | None = None

        def telling() -> bool:
            return saying is not None and not saying.done()

        # What is being told is part of it: a shard that begins meanwhile finds this one going on.
        while self._works or telling():
            await asyncio.sleep(TICK)
            at = monotonic()
            self._grant(at - then)
            then = at
            if at - said >= SECOND and not telling():
                saying = asyncio.create_task(self._say(at - said))
                said = at

    def _grant(self, seconds: float) -> None:
        paces = {id(work): work.pace for work in self._works if work.pace is not None}
        jobs = [
            Job(id(work), work.export_id, float(work.pace.moved[1]), work.pace.granted)
            for work in self._works
            if work.pace is not None
        ]
        limits = {
            name: steered.limit / max(1, steered.workers)
            for name, steered in self._steered.items()
            if steered.limit is not None
        }
        for key, granted in self._granting.poured(jobs, self._limit, limits, seconds).items():
            own = paces[key]
            if own is not None:
                own.grant(granted)

    async def _say(self, seconds: float) -> None:
        """Tells and asks the database. It is no reason to stop that nobody answers: what matters
        is asked again in the transactions that matter."""
        for work in self._works:
            self._note(work)
        beats, self._moved = self._beats(seconds), defaultdict(_Second)
        names = sorted({beat.export_id for beat in beats})
        try:
            await self._database.write(lambda u: pulses.write(u, self._worker, beats, now()))
            found = await self._database.read(lambda s: steering.all_steered(s, names))
        except Exception as failure:
            logging.getLogger(__name__).warning("how far exports are was not told: %s", failure)
            return
        here = {work.export_id for work in self._works}
        self._steered = {n: s for n, s in (self._steered | found).items() if n in here}
        for work in self._works:
            if work.pace is not None and not self._steered[work.export_id].wanted:
                work.pace.stop()

    def _note(self, work: Work) -> None:
        """What passed since this was asked last."""
        second = self._moved[work.export_id]
        if work.pace is None:
            return
        objects, size = work.pace.moved
        second.objects += objects - work.told[0]
        second.bytes += size - work.told[1]
        second.limited |= work.pace.waited()
        work.told = objects, size

    def _beats(self, seconds: float) -> Sequence[Beat]:
        return [
            self._beat(name, second, [w for w in self._works if w.export_id == name], seconds)
            for name, second in self._moved.items()
        ]

    def _beat(self, export_id: str, moved: _Second, works: Sequence[Work], seconds: float) -> Beat:
        under_way = [work.told for work in works if work.pace is not None]
        return Beat(
            export_id,
            _phase(works),
            moved.objects,
            moved.bytes,
            len(under_way),
            sum(objects for objects, _ in under_way),
            sum(size for _, size in under_way),
            moved.limited,
            seconds,
        )


def _phase(works: Iterable[Work]) -> str:
    return next((work.phase for work in works if work.phase != SHARDS), SHARDS)
