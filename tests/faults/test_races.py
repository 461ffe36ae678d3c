"""A release, and something else that happens at the same moment: one of the two, never both."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from temporalio.testing import WorkflowEnvironment

from sharing.export import releases, select
from sharing.export.pseudonyms import Pseudonyms
from sharing.keys import secret
from sharing.orders import Verb
from sharing.records import consents
from sharing.records.database import Database
from tests.faults.cases import cancelled, cleared, triggered
from tests.faults.depot import Depot, outcome
from tests.faults.depot import depot as made
from tests.faults.interposed import before

pytestmark = pytest.mark.slow

PEOPLE, RACES = 60, 30
CANCELLED_AFTER = (1.0, 0.15, 0.12, 0.09, 0.06, 0.04, 0.02, 0.0)  # seconds from the seal


@pytest.fixture
async def depot(
    temporal: WorkflowEnvironment,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Depot]:
    """A depot with an export worker, on each kind of database."""
    async with (
        made(temporal, database, tmp_path, monkeypatch, people=PEOPLE, shard_objects=40) as depot,
        depot.working(),
    ):
        yield depot


def pseudonyms_in(package: str | None) -> set[str]:
    """Everybody who is in a package."""
    assert package is not None
    table = parquet.read_table(Path(package) / "manifest.parquet", columns=["subject_pseudonym"])
    return set(table["subject_pseudonym"].to_pylist())


async def test_withdrawal_of_consent_and_release(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever withdrew before the release committed is in no manifest, however close it was: at
    least 30 withdrawals fall between the last shard and the release."""
    loop, chance = asyncio.get_running_loop(), random.Random(20141123)
    names = Pseudonyms(secret(depot.office.settings.pseudonym_key, "key"), depot.world.partner)
    willing, racing, in_time = list(depot.subjects), list[Future[None]](), list[str]()
    export = ""

    async def withdraws(subject: str, pause: float) -> None:
        await asyncio.sleep(pause)
        await depot.world.say(subject, "withdrawn")
        if not await depot.released(export):
            in_time.append(subject)  # committed, and the release had not

    def race() -> None:
        if len(in_time) >= RACES:
            return  # enough; or else a slow seal would be overtaken for ever
        act = withdraws(willing.pop(), chance.uniform(0, 0.005))
        racing.append(asyncio.run_coroutine_threadsafe(act, loop))

    before("seal", monkeypatch, race)
    hits = 0
    while hits < RACES:
        assert len(willing) > 2, f"only {hits} of {PEOPLE} withdrawals were in time"
        request, digest = await cleared(depot)
        export = await triggered(depot, request, digest)
        row = await depot.ended(export)
        await asyncio.gather(*map(asyncio.wrap_future, racing))
        assert row.state == "delivered"
        there = pseudonyms_in(row.location)
        assert not {names.subject(subject) for subject in in_time} & there
        hits = len(in_time)


async def test_withdrawal_inside_the_release(
    depot: Depot, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A withdrawal that comes when the release has looked at the ledger, and has not committed
    yet, waits for it: then it is a withdrawal after the release, and knows it."""
    subject, came = depot.subjects[0], list[tuple[threading.Thread, bool]]()

    async def withdraws() -> None:
        async with Database(database_url) as elsewhere:  # another process, as it were
            await replace(depot.world, database=elsewhere).say(subject, "withdrawn")

    def looked(*given: Any) -> list[int]:
        stale: list[int] = select.lapsed(*given)
        other = threading.Thread(target=lambda: asyncio.run(withdraws()))
        other.start()
        other.join(0.5)
        came.append((other, other.is_alive()))
        return stale

    monkeypatch.setattr(releases, "lapsed", looked)
    request, digest = await cleared(depot)
    row = await depot.ended(await triggered(depot, request, digest))
    ((other, waited),) = came
    await asyncio.to_thread(other.join)
    assert (row.state, waited) == ("delivered", True)
    given = await depot.read(lambda s: consents.of_subjects(s, [subject]))
    assert [event.action for event in given[subject]] == ["given", "withdrawn"]


async def test_cancel_and_release(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that is cancelled around its release is either released or cancelled, never both,
    and whoever cancelled is told which."""
    loop, pauses = asyncio.get_running_loop(), list(CANCELLED_AFTER)
    racing, ends = list[Future[str]](), Counter[str]()
    request = export = digest = ""

    async def cancels(pause: float) -> str:
        await asyncio.sleep(pause)
        return await outcome(cancelled(depot, request, export))

    def race() -> None:
        racing.append(asyncio.run_coroutine_threadsafe(cancels(pauses.pop()), loop))

    before("seal", monkeypatch, race)
    while pauses:
        if not request or await depot.releases(request):
            request, digest = await cleared(depot)
        engineer = depot.world.people["engineer"]
        order = depot.world.order(Verb.TRIGGER, request, engineer, digest)
        export = order.id
        await depot.send(order)
        row = await depot.ended(export)
        answer = await asyncio.wrap_future(racing.pop())
        assert (row.state, answer, await depot.released(export)) in (
            ("cancelled", "done", False),
            ("delivered", "wrong_state", True),
        )
        ends[row.state] += 1
        await depot.at(request, "delivered" if row.state == "delivered" else "cleared")
        await depot.erased(export)
    assert set(ends) == {"cancelled", "delivered"}, "one of the two always won: the race was none"


async def test_two_engineers_trigger_at_once(depot: Depot) -> None:
    """Two engineers who trigger at the same moment make one export; the other one is told so."""
    for _ in range(2):
        request, digest = await cleared(depot)
        both = (depot.world.people[who] for who in ("engineer", "second_engineer"))
        orders = [depot.world.order(Verb.TRIGGER, request, who, digest) for who in both]
        answers = await asyncio.gather(*(outcome(depot.send(order)) for order in orders))
        assert answers.count("done") == 1
        assert {*answers} - {"done"} < {"export_live", "not_cleared", "wrong_state"}
        await depot.at(request, "delivered")
        assert len(await depot.runs(request)) == len(await depot.releases(request)) == 1
