"""Bench `pages`: a reviewer's first inbox page with 1,000 requests that wait, beside the same rows
as JSON, from the same server, over real HTTP, in turns."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2

from api.auth import SESSION_COOKIE
from api.pages.inbox import PAGE
from sharing.stages import Role
from tests.api.served import served
from tests.api.world import World, world
from tests.bench.report import Report
from tests.bench.rounds import in_turns
from tests.databases import SQLiteTemplate

HTML, JSON = "page", "json"
PATHS = {HTML: "/reviews", JSON: f"/v1/reviews?show=waiting&limit={PAGE}"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many requests wait, how often each is asked in a round, and how many rounds."""

    requests: int
    asked: int
    rounds: int


FULL, QUICK = Size(1000, 40, 5), Size(100, 10, 2)


async def run(*, quick: bool) -> Report:
    """An inbox that is full, opened again and again."""
    size = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(prefix="clearance-bench-pages-") as folder:
        home = Path(folder)
        template = await asyncio.to_thread(SQLiteTemplate.migrated, home)  # it has a loop
        url = template.fresh(home)
        async with world(url, home) as made, served(made.app) as http:
            await _filled(made, size.requests)
            return await _measured(http, made.tokens[Role.PURPOSE_REVIEWER], size)


async def _filled(made: World, requests: int) -> None:
    begin = time.perf_counter()
    for number in range(requests):
        await made.submitted(title=f"Request {number} & <its> title")
    took = time.perf_counter() - begin
    print(f"{requests} requests submitted in {took:.0f} s", file=sys.stderr)


async def _measured(http: httpx2.AsyncClient, session: str, size: Size) -> Report:
    kept = {"Cookie": f"{SESSION_COOKIE}={session}"}
    page, answer = [await _got(http, PATHS[name], kept) for name in (HTML, JSON)]
    _demand_same(page.text, answer.json()["items"], size.requests)
    took: dict[str, list[float]] = {HTML: [], JSON: []}

    def timed(method: str) -> Callable[[int], Awaitable[float]]:
        async def ask(_: int) -> float:
            begin = time.perf_counter()
            for _ in range(size.asked):
                each = time.perf_counter()
                await _got(http, PATHS[method], kept)
                took[method].append(time.perf_counter() - each)
            return size.asked / (time.perf_counter() - begin)

        return ask

    rates = await in_turns({HTML: timed(HTML), JSON: timed(JSON)}, size.rounds)
    return Report(
        "pages",
        {"html_vs_json": rates.ratio(JSON, HTML)},
        {
            "requests": size.requests,
            "rows_a_page": PAGE,
            "bytes_a_page": len(page.content),
            "milliseconds_a_page": round(1000 * median(took[HTML]), 1),
            "milliseconds_of_json": round(1000 * median(took[JSON]), 1),
            "milliseconds_a_page_p95": round(1000 * quantiles(took[HTML], n=20)[18], 1),
        },
        tuple(rates.rows("answers")),
    )


async def _got(http: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> httpx2.Response:
    answer = await http.get(path, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return answer


def _demand_same(page: str, items: list[dict[str, Any]], requests: int) -> None:
    """Raises unless the page has the rows of the answer, in the same order, out of all of them."""
    places = [page.find(escape(one["title"])) for one in items]
    if len(items) != min(PAGE, requests) or -1 in places or places != sorted(places):
        raise RuntimeError("The page and the JSON do not show the same rows in the same order.")
    if f"{requests:,}".replace(",", "\u202f") not in page:
        raise RuntimeError(f"The page does not count {requests} requests.")
