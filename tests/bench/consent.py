"""Bench `consent`: a whole scope verified, beside databases and engines that answer the same.

Every method decides the same objects over the same ledger, in turns, and all of them must come to
the very same counts by reason; a bench of wrong answers raises.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from sqlalchemy.engine import URL

from sharing.records.database import Database
from sharing.snapshot.decision import Decision
from sharing.snapshot.keeper import Snapshots
from tests.bench import consent_growth as growth
from tests.bench.consent_checks import BulkChecks, looked_up
from tests.bench.consent_ingest import appending, copied, raw
from tests.bench.consent_ledger import EVENTS_A_SUBJECT, Made, chained, distinct, question
from tests.bench.consent_postgres import DATASET, Joins, allowed, joins, needed, postgresql_server
from tests.bench.report import Report
from tests.bench.rounds import Rates, in_turns
from tests.databases import PostgreSQLTemplate, SQLiteTemplate

SNAPSHOT, PROJECTION = "snapshot", "PostgreSQL join on a projection"
COLD, LEDGER = "from the ledger alone", "PostgreSQL join on the ledger"
CHECKS, ORM = "bulk checks (regorus)", "ORM look-ups"
OURS, RAW = "append", "executemany"
POSTGRES, COPY = "append, PostgreSQL", "COPY"
NEWS = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    events: int
    checked: int
    looked_up: int
    ingested: int
    small: int
    large: int
    scope: int
    growth: tuple[int, ...]
    rounds: int


FULL = Size(5_400_000, 50_000, 500, 100_000, 3_000_000, 10_000_000, 1_500_000,
            (1_000_000, 3_000_000, 10_000_000), 3)  # fmt: skip
QUICK = Size(180_000, 10_000, 200, 20_000, 100_000, 333_000, 50_000, (30_000, 100_000, 300_000), 2)


async def run(*, quick: bool) -> Report:
    """Everything, in turns; see docs/benchmarks.md."""
    size = QUICK if quick else FULL
    made = Made(int(size.events / EVENTS_A_SUBJECT), size.events)
    with postgresql_server() as server:
        async with joins(needed(server), made) as there, Database(there.url) as database:
            deciding = Deciding(there, database, made)
            rates = await deciding.in_turns(size)
        on_postgres = await ingested_on_postgres(needed(server), size)
    ingest = await ingested(size)
    grown = await in_turns(
        {
            "small": growth.deciding(size.small, size.scope),
            "large": growth.deciding(size.large, size.scope),
        },
        size.rounds + 2,
    )
    table = [await growth.measured(subjects) for subjects in size.growth]
    return Report(
        "consent",
        {
            "snapshot_vs_postgres_join": rates.ratio(SNAPSHOT, PROJECTION),
            "ledger_vs_postgres_join": rates.ratio(COLD, LEDGER),
            "snapshot_vs_bulk_checks": rates.ratio(SNAPSHOT, CHECKS),
            "snapshot_vs_orm_lookups": rates.ratio(SNAPSHOT, ORM),
            "growth_3m_to_10m": grown.ratio("small", "large"),
            "ingest_vs_raw": ingest.ratio(OURS, RAW),
        },
        {
            "objects": made.subjects,
            "events": made.events,
            "objects_per_second": {name: round(rates.median(name)) for name in rates.of},
            "ingest_postgres_vs_raw": round(on_postgres.ratio(POSTGRES, COPY), 3),
            "events_per_second": {
                name: round(one.median(name)) for one in (ingest, on_postgres) for name in one.of
            },
            "follow_1000_events_ms": round(following(made), 2),
            "growth": table,
            "peak_mib_of_the_largest": table[-1]["peak_mib"],
        },
        tuple(rates.rows("objects") + ingest.rows("events")[1:] + on_postgres.rows("events")[1:]),
    )


class Deciding:
    """The methods that decide the whole scope."""

    def __init__(self, there: Joins, database: Database, made: Made) -> None:
        self._there, self._database, self._made = there, database, made
        self._kept = Snapshots()
        self._asked = replace(growth.asked(), dataset_id=DATASET)

    async def in_turns(self, size: Size) -> Rates:
        """All methods, after each was seen to give the same answers."""
        counts = await self._there.projection()
        same("join on the ledger", await self._there.ledger(), counts)
        decision = await self._decided(self._kept)
        same("snapshot", reasons(decision), counts)
        rows = await self._there.rows(size.checked)
        checks = BulkChecks(rows, allowed())
        first = [word or "covered" for _, word in zip(rows, decision.reasons(), strict=False)]
        same("bulk checks", Counter(checks.answered()[0]), Counter(first))
        subjects = checks.subjects[: size.looked_up]
        found = await self._database.read(lambda s: looked_up(s, question(), subjects))
        same("look-ups", Counter(found), Counter(first[: len(found)]))
        return await in_turns(
            {
                SNAPSHOT: self._timed(lambda: self._decided(self._kept)),
                PROJECTION: self._timed(self._there.projection),
                COLD: self._timed(lambda: self._decided(Snapshots())),
                LEDGER: self._timed(self._there.ledger),
                CHECKS: self._checked(checks),
                ORM: self._looked_up(subjects),
            },
            size.rounds,
        )

    def _timed(self, work: Callable[[], Awaitable[object]]) -> Callable[[int], Awaitable[float]]:
        async def method(_: int) -> float:
            begin = time.perf_counter()
            await work()
            return self._made.subjects / (time.perf_counter() - begin)

        return method

    def _checked(self, checks: BulkChecks) -> Callable[[int], Awaitable[float]]:
        async def method(_: int) -> float:
            return checks.answered()[1]  # the engine must stay in the thread that made it

        return method

    async def _decided(self, kept: Snapshots) -> Decision:
        """The scope decided, counted, and hashed as a decision file is."""
        decision = await self._database.read(lambda s: kept.decided(s, self._asked))
        await asyncio.to_thread(decision.coverage)
        return decision

    def _looked_up(self, subjects: list[str]) -> Callable[[int], Awaitable[float]]:
        async def method(_: int) -> float:
            begin = time.perf_counter()
            await self._database.read(lambda s: looked_up(s, question(), subjects))
            return len(subjects) / (time.perf_counter() - begin)

        return method


def reasons(decision: Decision) -> dict[str, int]:
    """Objects by reason."""
    counted = decision.coverage()
    return {**counted.excluded, "covered": counted.covered_objects}


def same(method: str, found: dict[str, int], expected: dict[str, int]) -> None:
    """Raises RuntimeError where a method comes to other counts."""
    if dict(found) != dict(expected):
        raise RuntimeError(f"{method}: {dict(found)}, not {dict(expected)}")
    print(f"{method}: the same counts", file=sys.stderr)


async def ingested(size: Size) -> Rates:
    """Appends beside raw rows, on SQLite."""
    made = Made(int(size.ingested / EVENTS_A_SUBJECT), size.ingested)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = await asyncio.to_thread(SQLiteTemplate.migrated, folder)
        return await in_turns(
            {OURS: appending(lambda: template.fresh(folder), made), RAW: raw(folder, made)},
            size.rounds,
        )


async def ingested_on_postgres(server: URL, size: Size) -> Rates:
    """Appends beside COPY, on PostgreSQL, with nearly every subject new: what costs us most."""
    made = Made(size.ingested * 20, size.ingested)
    template = await asyncio.to_thread(PostgreSQLTemplate.migrated, server)
    try:
        return await in_turns(
            {POSTGRES: appending(template.fresh, made), COPY: copied(template, made)}, size.rounds
        )
    finally:
        await asyncio.to_thread(template.drop, template.url(template.name))


def following(made: Made) -> float:
    """How many milliseconds a snapshot takes to follow NEWS more events of a ledger."""
    snapshot, times = growth.folded(made), list[float]()
    terms, at_hash = list(enumerate(distinct())), snapshot.hash
    for number in range(5):
        page = next(Made(made.subjects, NEWS, seed=number + 10).pages())
        news = chained(page, snapshot.position, at_hash)
        at_hash = news.hash
        begin = time.perf_counter()
        snapshot.follow([news], terms, made.subjects)
        times.append(time.perf_counter() - begin)
    return median(times) * 1_000
