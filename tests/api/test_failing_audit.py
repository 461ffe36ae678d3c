"""No change without its audit entry (I13, F14): the log made to fail, and every POST tried."""

from typing import Any

import pytest
from sqlalchemy import text

from sharing.records.unit import Unit
from tests.api.test_idempotency import CREATED, IDS, counted
from tests.api.world import World

SQLITE = """CREATE TRIGGER broken_log BEFORE INSERT ON audit_entry
BEGIN SELECT RAISE(ABORT, 'the disk of the log is gone'); END"""
POSTGRESQL = (
    """CREATE FUNCTION broken_log() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the disk of the log is gone'; END $$""",
    """CREATE TRIGGER broken_log BEFORE INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION broken_log()""",
)


async def break_log(world: World) -> None:
    """From now on no audit entry can be written."""
    sqlite = world.database.url.startswith("sqlite")

    def work(unit: Unit) -> None:
        for statement in (SQLITE,) if sqlite else POSTGRESQL:
            unit.session.execute(text(statement))

    await world.database.write(work)


@pytest.mark.parametrize(("who", "path", "body", "_other"), CREATED, ids=IDS)
async def test_nothing_is_created_without_an_entry(
    there: World, who: str, path: str, body: Any, _other: Any
) -> None:
    """With the log broken a POST is 5xx, and no row of any table is there afterwards."""
    before = await counted(there)
    await break_log(there)
    answer = await there.post(who, path, body)
    assert answer.status_code >= 500, answer.text
    assert "disk of the log" not in answer.text
    assert await counted(there) == before


async def test_nothing_is_decided_without_an_entry(there: World) -> None:
    """With the log broken a decision is 5xx, and the gate is as open as before."""
    view = await there.submitted()
    before = await counted(there)
    await break_log(there)
    answer = await there.decide(view, "purpose_review")
    assert answer.status_code >= 500, answer.text
    assert await counted(there) == before
    assert (await there.seen(view))["stages"][0]["outcome"] is None


async def test_nothing_is_triggered_or_withdrawn_without_an_entry(there: World) -> None:
    """With the log broken a trigger and a withdrawal are 5xx, and the request stays cleared."""
    view = await there.cleared()
    before = await counted(there)
    await break_log(there)
    path = f"/v1/requests/{view['id']}"
    triggered = await there.post("engineer", f"{path}/exports", {"digest": view["digest"]})
    withdrawn = await there.post("partner", f"{path}/withdraw")
    assert triggered.status_code >= 500
    assert withdrawn.status_code >= 500
    assert await counted(there) == before
    await there.seen(view, "cleared")


async def test_a_refused_attempt_that_cannot_be_logged_is_no_plain_refusal(there: World) -> None:
    """With the log broken an attempt that would be refused is 503 instead."""
    await break_log(there)
    answer = await there.post("engineer", "/v1/partners", {"name": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed")


async def test_reading_goes_on_without_the_log(there: World) -> None:
    """With the log broken what is recorded can still be read."""
    await break_log(there)
    assert (await there.get("auditor", "/v1/requests")).status_code == 200
