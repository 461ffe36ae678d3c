"""An export driven step by step, with people who withdraw at every moment in between.

Each step is the very transaction that the export worker runs; only the packing is left out. So no
clock decides what meets what, and each withdrawal is known to have met the moment it is for."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, text

from sharing.export import releases, runs
from sharing.export.pack import ShardResult
from sharing.export.releases import Run, Stale
from sharing.records import consents
from sharing.records.database import Database
from sharing.records.engines import InThreads
from sharing.records.exports import ExportShard, shards_of
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.records.exporting import SEALED, Exporting
from tests.walk import CATEGORY, PURPOSE

# Before the release, in its transaction, and after it.
BEFORE = ("unplanned", "planned", "taken", "chosen", "committed", "packed", "attempted", "proven")
INSIDE, AFTER = "inside", "released"
SIZE = 37  # objects a shard; the two of one subject lie in two shards
PATIENCE = 60.0


@dataclass(slots=True)
class Crowd:
    """The people of a dataset, what they say now, and every release that they are in."""

    home: Database  # where the exports run
    elsewhere: Database  # where people withdraw: another process, as it were
    subjects: Sequence[str]
    chance: random.Random
    no: set[str] = field(default_factory=set)
    out: dict[str, Counter[str]] = field(default_factory=dict)  # export: objects by subject
    due: dict[str, set[str]] = field(default_factory=dict)  # export: whose items must be there
    hits: Counter[str] = field(default_factory=Counter)

    def some(self, count: int, among: Iterable[str]) -> list[str]:
        """A few of these who say yes now, chosen by chance."""
        willing = sorted(set(among) - self.no)
        return self.chance.sample(willing, min(count, len(willing)))

    async def withdraw(self, moment: str, people: Sequence[str], *, at_once: bool) -> None:
        """Each of these people withdraws by an event of its own; or all in one batch."""
        batches = [list(people)] if at_once else [[one] for one in people]
        await asyncio.gather(*(self._say(self.elsewhere, batch, "withdrawn") for batch in batches))
        self.no |= set(people)
        for export, objects in self.out.items():
            self.due[export] |= {subject for subject in people if subject in objects}
        self.hits[moment] += len(people)

    async def agree(self, people: Iterable[str]) -> None:
        """These people say yes, once more."""
        named = sorted(people)
        await self._say(self.home, named, "given")
        self.no -= set(named)

    async def _say(self, database: Database, people: Sequence[str], action: str) -> None:
        rows = words(people, action)
        await database.write(lambda u: consents.append(u, rows))


def words(people: Iterable[str], action: str) -> list[dict[str, Any]]:
    """An event for each of these people about what is asked for."""
    return [
        {"subject": subject, "purpose": PURPOSE, "category": CATEGORY, "recipient": "*",
         "action": action, "explicit": True, "notice": "privacy", "notice_version": "1",
         "jurisdiction": "DE", "at": now(), "source": "test"}
        for subject in people
    ]  # fmt: skip


@dataclass(slots=True)
class Aimed:
    """One export among the crowd. `contents` are the objects of each shard by subject, as it was
    committed last."""

    crowd: Crowd
    export: Exporting
    each: int  # people a moment
    contents: dict[int, Counter[str]] = field(default_factory=dict)
    passed: int = 0

    async def hit(self, moment: str, among: Iterable[str] = ()) -> None:
        """Some withdraw now, all of them before the release; those of one shard, where given. Now
        and then some of those who withdrew say yes again."""
        assert await self.export.released() is None
        if self.crowd.no and self.crowd.chance.random() < 0.2:
            await self.crowd.agree(self.crowd.chance.sample(sorted(self.crowd.no), 1))
        people = self.crowd.some(self.each, among or self.crowd.subjects)
        await self.crowd.withdraw(moment, people, at_once=self.crowd.chance.random() < 0.3)

    async def run(self) -> None:
        """From the plan to the release, with withdrawals at every moment: shards and seals in the
        first two rounds, then between proof and release, then in the release itself."""
        await self.hit("unplanned")
        shards = await self.export.planned(SIZE)
        await self.hit("planned")
        await self.make(range(shards))
        while (stale := await self.round()) is not None:
            gone = {n for n, inside in self.contents.items() if self.crowd.no & inside.keys()}
            assert set(stale.shards) == gone, "exactly the shards that hold who withdrew"
            self.passed += 1
            await self.make(stale.shards)

    async def make(self, numbers: Iterable[int]) -> None:
        """Makes these shards, and leaves all others as they are."""
        numbers, before = list(numbers), await self._made()
        for number in numbers:
            await self._shard(number)
        after = await self._made()
        assert {n for n in after if after[n] != before.get(n)} == set(numbers)
        if self.passed < 2:
            await self.hit("packed")

    async def _shard(self, number: int) -> None:
        database, busy = self.crowd.home, self.passed < 2
        fenced = await database.write(lambda u: runs.take_shard(u, self.export.export, number))
        assert fenced is not None
        if busy:
            await self.hit("taken", self.contents.get(number, Counter()))
        chosen = await database.read(lambda s: runs.choose(s, fenced))
        inside = Counter(candidate.subject for candidate in chosen.candidates)
        assert not self.crowd.no & inside.keys()
        if busy:
            await self.hit("chosen", inside)
        done = ShardResult(number, (), inside.total(), 1, "m", "x" * 64, ())
        await database.write(lambda u: runs.commit_shard(u, fenced, chosen, done))
        self.contents[number] = inside
        if busy:
            await self.hit("committed", inside)

    async def round(self) -> Stale | None:
        """One attempt at the release, as the export worker makes it; None once it is done."""
        run = await self.export.attempt()
        if self.passed < 2:
            await self.hit("attempted")
        proven = await self.crowd.home.read(lambda s: releases.proven(s, run))
        if isinstance(proven, Stale):
            await self.crowd.home.write(lambda u: releases.hold(u, run, proven))
            return proven
        if self.passed == 2:
            await self.hit("proven", sum(self.contents.values(), Counter()))
        return await self._release(proven)

    async def _release(self, run: Run) -> Stale | None:
        """The release; whoever withdraws in it waits, in another process, until it committed."""
        crowd, loop = self.crowd, asyncio.get_running_loop()
        if crowd.no & set().union(*self.contents.values()):
            outcome = await self.export.release(run)
            assert outcome is not None, "released although somebody in it had withdrawn"
            return outcome
        inside = sum(self.contents.values(), Counter[str]())
        people = crowd.some(self.each, inside)
        came, acts = waiting(crowd.elsewhere), list[asyncio.Task[None]]()

        def withdraw() -> None:
            crowd.out[self.export.export], crowd.due[self.export.export] = inside, set()
            acts.append(asyncio.create_task(crowd.withdraw(INSIDE, people, at_once=False)))

        def work(unit: Unit) -> Stale | None:
            outcome = releases.release(unit, run, SEALED)
            unit.session.flush()
            loop.call_soon_threadsafe(withdraw)
            came(unit)
            return outcome

        outcome = await crowd.home.write(work)
        await asyncio.gather(*acts)
        assert outcome is None
        await crowd.withdraw(AFTER, crowd.some(self.each, inside), at_once=False)
        await crowd.withdraw(AFTER, crowd.some(self.each, inside), at_once=True)
        return None

    async def _made(self) -> dict[int, tuple[int, Any]]:
        rows: list[ExportShard] = await self.crowd.home.read(
            lambda s: shards_of(s, self.export.export)
        )
        return {row.number: (row.fence, row.committed_at) for row in rows}


def waiting(elsewhere: Database) -> Callable[[Unit], None]:
    """Holds a transaction until somebody elsewhere has come to the lock that it holds."""
    opened = elsewhere._opened
    if not isinstance(opened, InThreads):
        return _until_blocked
    came = threading.Event()
    # Nobody can be seen to wait for an SQLite file: this is the last moment before it does.
    event.listen(opened._writer, "checkout", lambda *_: came.set())

    def wait(unit: Unit) -> None:
        assert came.wait(PATIENCE), "nobody came to withdraw"

    return wait


def _until_blocked(unit: Unit) -> None:
    ours = "SELECT pg_backend_pid()"
    me = unit.session.execute(text(ours)).scalar_one()
    blocked = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND :me = ANY(pg_blocking_pids(pid))"
    )
    for _ in range(int(PATIENCE / 0.01)):
        if unit.session.execute(blocked, {"me": me}).scalar_one():
            return
        unit.session.execute(text("SELECT pg_sleep(0.01)"))
    raise AssertionError("nobody came to withdraw")
