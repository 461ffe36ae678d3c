"""Bench `screening`: who has a tie to a request's partner, in a graph of a million organisations.

Ours goes outwards step by step from the few that a request is about; the peer is one recursive SQL
query with the same rule, in the same file. Both answer each request, and must answer the same.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from sqlmodel import Session

from sharing.conflict import Organisation, Screening
from sharing.records import interests, screenings
from sharing.records.database import Database
from sharing.records.screenings import targets_of
from sharing.screening import LIMITS
from tests.bench.report import Report
from tests.bench.rounds import in_turns
from tests.bench.screening_graph import Size, fill, lei, name, partners
from tests.databases import SQLiteTemplate, sqlite_url

OURS, PEER = "screening", "one recursive query"
FULL, QUICK = Size(1_000_000, 3_000_000, 10_000), Size(100_000, 300_000, 1_000)

# The states of the search as rows. Ways: 0 the target, 1 an owner with a say all the way, 2 another
# owner, 3 a subsidiary, 4 a sister. It is the rule of sharing/screening.py.
CONTROLS = (
    "(e.kind IN ('control', 'subsidiary', 'branch') "
    "OR (e.kind = 'ownership' AND (e.share IS NULL OR e.share >= 0.25)))"
)
COUNTS = "(e.until IS NULL OR e.until >= :today)"
SMALL = (
    "(SELECT count(*) FROM (SELECT 1 FROM organisation_edge l WHERE l.owner_id = w.id "
    "AND (l.until IS NULL OR l.until >= :today) LIMIT :owned + 1)) <= :owned"
)
RECURSIVE = f"""
WITH RECURSIVE walk(id, way, hops) AS (
  SELECT id, 0, 0 FROM organisation WHERE lei = :lei
  UNION
  SELECT e.owner_id, CASE WHEN w.way < 2 AND {CONTROLS} THEN 1 ELSE 2 END, w.hops + 1
    FROM walk w JOIN organisation_edge e ON e.owned_id = w.id
   WHERE w.hops < :hops AND w.way <= 2 AND {COUNTS}
  UNION
  SELECT e.owned_id, CASE WHEN w.way IN (0, 3) THEN 3 ELSE 4 END, w.hops + 1
    FROM walk w JOIN organisation_edge e ON e.owner_id = w.id
   WHERE w.hops < :hops AND w.way <> 2 AND {COUNTS} AND (w.way IN (0, 3) OR {CONTROLS}) AND {SMALL}
), near(id, hops) AS (SELECT id, min(hops) FROM walk GROUP BY id)
SELECT i.id, n.hops FROM interest i JOIN organisation o ON o.lei = i.lei JOIN near n ON n.id = o.id
 WHERE i.until IS NULL OR i.until >= :today
UNION
SELECT i.id, n.hops FROM near n JOIN organisation o ON o.id = n.id
  JOIN interest i ON i.lei IS NULL AND i.organisation = o.name
 WHERE i.until IS NULL OR i.until >= :today
"""

Answer = dict[str, int]


async def run(*, quick: bool) -> Report:
    """A graph, and requests answered in turns."""
    size, requests, rounds = (QUICK, 12, 2) if quick else (FULL, 15, 3)
    with tempfile.TemporaryDirectory(prefix="clearance-bench-screening-") as folder:
        file = await asyncio.to_thread(_made, Path(folder), size)
        async with Database(sqlite_url(file)) as database:
            return await _measured(database, size, requests, rounds)


def _made(folder: Path, size: Size) -> Path:
    begin = time.perf_counter()
    SQLiteTemplate.migrated(folder)
    file = folder / "template.sqlite3"
    fill(file, size)
    mib = file.stat().st_size >> 20
    print(f"graph made in {time.perf_counter() - begin:.0f} s, {mib} MiB", file=sys.stderr)
    return file


async def _measured(database: Database, size: Size, requests: int, rounds: int) -> Report:
    asking = partners(size, requests)
    answers = await _same(database, asking)
    took: dict[str, list[float]] = {OURS: [], PEER: []}

    def timed(method: str, ask: Callable[..., Answer]) -> Callable[[int], Awaitable[float]]:
        async def answer(_: int) -> float:
            begin = time.perf_counter()
            for number in asking:
                each = time.perf_counter()
                await database.read(partial(ask, number=number))
                took[method].append(time.perf_counter() - each)
            return len(asking) / (time.perf_counter() - begin)

        return answer

    rates = await in_turns({OURS: timed(OURS, ours), PEER: timed(PEER, recursive)}, rounds)
    whole = [await _whole(database, number) for number in asking]
    return Report(
        "screening",
        {"vs_recursive_sql": rates.ratio(OURS, PEER)},
        {
            "organisations": size.organisations,
            "edges": size.edges,
            "insiders": size.insiders,
            "hops": LIMITS.hops,
            "requests": requests,
            "matches": sum(map(len, answers)),
            "seconds_a_request": {method: _spread(times) for method, times in took.items()},
            "seconds_a_request_with_alike_names": _spread([seconds for seconds, _ in whole]),
            "alike_names": sum(len(seen.alike) for _, seen in whole),
            "not_looked_through": len({n for _, seen in whole for n in seen.too_large}),
            "cut_short": sum(seen.cut for _, seen in whole),
        },
        tuple(rates.rows("requests")),
    )


def _spread(times: list[float]) -> dict[str, float]:
    at = quantiles(times, n=20, method="inclusive")
    found = {"median": median(times), "p95": at[18], "worst": max(times)}
    return {what: round(seconds, 4) for what, seconds in found.items()}


def ours(session: Session, number: int) -> Answer:
    """Interests that lead to one organisation, with the fewest steps, as the product finds them."""
    targets = targets_of(Organisation(name(number), lei(number)), ())
    found = screenings.matches(
        session, interests.stakes(session), {"it": targets}, datetime.now(UTC).date()
    )
    return {match.interest.id: len(match.legs) for match in found["it"]}


def recursive(session: Session, number: int) -> Answer:
    """The same by one recursive query."""
    given = {"lei": lei(number), "today": datetime.now(UTC).date().isoformat()}
    statement = RECURSIVE.replace(":hops", str(LIMITS.hops)).replace(":owned", str(LIMITS.owned))
    cursor = session.connection().exec_driver_sql(statement, given)
    found: Answer = {}
    for interest, hops in cursor:
        found[interest] = min(hops, found.get(interest, hops))
    return found


async def _whole(database: Database, number: int) -> tuple[float, Screening]:
    """All that gate 3 asks: also which names are only alike, and whose owners are not known."""
    targets = targets_of(Organisation(name(number), lei(number)), ("Nobody on record",))
    today, begin = datetime.now(UTC).date(), time.perf_counter()
    seen = await database.read(
        lambda s: screenings.screening(s, interests.stakes(s), targets, today)
    )
    return time.perf_counter() - begin, seen


async def _same(database: Database, asking: list[int]) -> list[Answer]:
    """Every answer by both; raises where they differ."""
    answers = []
    for number in asking:
        mine = await database.read(partial(ours, number=number))
        theirs = await database.read(partial(recursive, number=number))
        if mine != theirs:
            odd = sorted(set(mine.items()) ^ set(theirs.items()))[:5]
            raise RuntimeError(f"{name(number)}: {len(mine)} and {len(theirs)} matches: {odd}")
        answers.append(mine)
    return answers
