"""A durable POST beside the same validated POST that keeps nothing: 32 connections, one process.

The durable one is `POST /v1/interests` of the real API on SQLite: token, row, audit entry and event
in one commit that is flushed to disk before the answer. The generator is a process of its own.
"""

import asyncio
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from api.home import with_keys
from api.parts import API, part
from sharing.records import parties
from sharing.records.database import Database
from sharing.records.migrate import migrate
from sharing.records.unit import Unit
from sharing.settings import Settings
from sharing.stages import Role
from tests.bench.load import COUNTER, Outcome
from tests.bench.rounds import in_turns
from tests.bench.running import process, python

CONNECTIONS = 32
DURABLE, VALIDATED = "durable POST", "validated POST"


@dataclass(frozen=True, slots=True)
class Posts:
    """The part of the bench `requests` that is about POSTs."""

    ratios: dict[str, float]
    figures: dict[str, object]
    rows: tuple[tuple[str, ...], ...]


async def measure(*, quick: bool) -> Posts:
    """Both servers under the same load, in turns."""
    seconds, rounds = (2.0, 2) if quick else (5.0, 5)
    home = Path(tempfile.mkdtemp(prefix="clearance-bench-api-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        settings = with_keys(replace(Settings(), home=home).resolved())
        await asyncio.to_thread(migrate, settings.database_url)
        officer, token = await _officer(settings)
        ports = {DURABLE: free_port(), VALIDATED: free_port()}
        api = part(API, settings, "--port", str(ports[DURABLE]))
        twin = python("tests.bench.bare_post", str(ports[VALIDATED]))
        await stack.enter_async_context(process(api.command, api.environ, api.log))
        await stack.enter_async_context(process(twin, None, home / "logs" / "twin.log"))
        seen: dict[str, list[Outcome]] = {DURABLE: [], VALIDATED: []}

        async def method(name: str) -> float:
            outcome = await load(ports[name], officer, token, seconds)
            seen[name].append(outcome)
            return outcome.rate

        for port in ports.values():
            await answering(port)
            await load(port, officer, token, 1.0)
        rates = await in_turns(
            {name: lambda _, name=name: method(name) for name in ports},  # type: ignore[misc]
            rounds,
        )
    return Posts(
        {"durable_post_vs_validated": rates.ratio(DURABLE, VALIDATED)},
        {name.replace(" ", "_").lower(): _figures(seen[name]) for name in ports},
        tuple(_rows(seen)),
    )


async def _officer(settings: Settings) -> tuple[str, str]:
    """A conflict officer's id and token."""

    def issue(unit: Unit) -> tuple[str, str]:
        role = Role.CONFLICT_OFFICER
        person = parties.add_person(unit.session, "Officer", "officer@bench", [role])
        return person.id, parties.issue_token(unit.session, role, person_id=person.id)

    async with Database(settings.database_url) as database:
        return await database.write(issue)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answering(port: int) -> None:
    """Returns as soon as somebody listens; raises TimeoutError after 20 s."""
    begin = time.monotonic()
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() - begin > 20:
                raise TimeoutError(f"Nothing answers on port {port}.") from None
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return


async def load(port: int, officer: str, token: str, seconds: float) -> Outcome:
    """What the generator saw; raises RuntimeError if any answer was not 201."""
    order: Mapping[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "path": "/v1/interests",
        "headers": {"Authorization": f"Bearer {token}"},
        "body": json.dumps(
            {
                "person": officer,
                "organisation": {"name": f"Company {COUNTER.decode()}"},
                "kind": "equity",
                "from": "2020-01-01",
                "detail": "Holds some shares.",
            }
        ),
        "connections": CONNECTIONS,
        "seconds": seconds,
    }
    generator = await asyncio.create_subprocess_exec(
        *python("tests.bench.load"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await generator.communicate(json.dumps(order).encode())
    outcome = Outcome(**json.loads(answer))
    if outcome.statuses.keys() != {"201"}:
        raise RuntimeError(f"The server answered {outcome.statuses}, not only 201.")
    return outcome


def _figures(outcomes: list[Outcome]) -> dict[str, float]:
    p50, p99 = (median(getattr(o, name) for o in outcomes) for name in ("p50", "p99"))
    return {
        "per_second": round(median(o.rate for o in outcomes), 1),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "p99_to_p50": round(p99 / p50, 2),
    }


def _rows(seen: Mapping[str, list[Outcome]]) -> list[tuple[str, ...]]:
    return [
        ("", "", "", ""),
        ("32 connections", "POSTs/s", "p50 ms", "p99 ms"),
        *(
            (name, f"{f['per_second']:,.0f}", f"{f['p50_ms']:.1f}", f"{f['p99_ms']:.1f}")
            for name, f in ((name, _figures(outcomes)) for name, outcomes in seen.items())
        ),
    ]
