"""An engineer's whole job, in a real browser, on an export that really moves bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect
from temporalio.testing import ActivityEnvironment

from sharing.errors import NotYet
from sharing.keys import public_text, signing_key
from sharing.records import pulses, signing_keys
from sharing.records.exports import Export
from sharing.records.pulses import Beat
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import ExportState, Role
from tests.api.test_exports import Plane, triggered
from tests.browser.desk import Desk, faults
from workflows.activities.exports import Exports
from workflows.messages import ExportEnd, ShardTask

LOOKS = [(size, theme) for size in ("desk", "phone") for theme in ("light", "dark")]
SLOW = "0.002"  # megabytes a second: the few photos of the world then take some seconds


@pytest.fixture(scope="module")
async def plane(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Plane:
    """The export worker's own activities, and the key that it seals with made known."""
    made = Plane(desk.world, tmp_path_factory.mktemp("plane"))
    await made.index()
    key = public_text(signing_key(made.settings.signing_key, "key"))
    await desk.world.database.write(lambda u: signing_keys.register(u.session, "seal", key))
    return made


async def moved(plane: Plane, export_id: str) -> None:
    """Runs an export to its end as a worker does: what is held up is tried again."""
    run, parts = ActivityEnvironment().run, plane.activities
    plan = await tried(lambda: run(parts.plan_export, export_id))
    for number in range(plan.shards):
        await tried(lambda n=number: run(parts.export_shard, ShardTask(export_id, n)))
    assert (await tried(lambda: run(parts.release_package, export_id))).released
    await run(parts.deliver_package, export_id)


async def tried(step: Any) -> Any:
    """A step, again and again until nobody holds it up."""
    while True:
        try:
            return await step()
        except NotYet:
            await asyncio.sleep(0.2)


@asynccontextmanager
async def under_way(plane: Plane, export_id: str) -> AsyncIterator[asyncio.Task[None]]:
    """An export that runs beside what the block does, and is waited for."""
    task = asyncio.create_task(moved(plane, export_id))
    try:
        yield task
    finally:
        await asyncio.wait_for(task, 120)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_from_the_trigger_to_the_delivered_package(
    desk: Desk, plane: Plane, script: bool
) -> None:
    """One engineer makes a dry run and starts a cleared request, another says the second yes, looks
    on, pauses, lets it go on without the limit, and finds it delivered; with a script, and
    without one."""
    view = await desk.world.cleared(title=f"An export {script}")
    async with desk.at(Role.ENGINEER, java_script_enabled=script) as page:
        await page.goto("/exports?show=ready")
        await page.get_by_role("link", name=view["title"]).click()
        await page.get_by_role("button", name="Make a dry run").click()
        await expect(page.locator("#said")).to_contain_text("objects would go")
        await page.get_by_label("At most, in megabytes a second").fill(SLOW)
        await page.get_by_role("button", name="Start the export").click()
        await expect(page.locator("main")).to_contain_text("Waits for a second yes")
        await expect(page.locator("main")).to_contain_text("Who can: engineer2")
        await expect(page.get_by_role("button", name="Yes, let it run")).to_have_count(0)
        export_id = page.url.partition("/exports/")[2].partition("?")[0]
    async with desk.at(Role.ENGINEER, "engineer2", java_script_enabled=script) as page:
        await page.goto("/exports?show=waiting")
        await page.get_by_role("link", name=view["title"]).click()
        await page.get_by_role("button", name="Yes, let it run").click()
        await expect(page.locator("#said")).to_contain_text("the export runs")
        async with under_way(plane, export_id):
            await page.get_by_role("button", name="Pause").click()
            await expect(page.locator("main")).to_contain_text("engineer2 paused it")
            if script:
                assert await page.evaluate("document.activeElement.id") == "said"
            await page.get_by_role("button", name="Take the limit away").click()
            await page.get_by_role("button", name="Let it go on").click()
            await expect(page.locator("#said")).to_contain_text("It goes on")
            if script:  # nobody reloads: the page says by itself that it is another one
                await page.locator(".news", has_text="Delivered").wait_for()
        await page.goto(f"/exports/{export_id}")
        words = await page.locator("main").inner_text()
    assert "clearance verify" in words
    assert "by engineer\n" in words
    assert "by engineer2" in words
    assert (await desk.world.seen(view))["state"] == "delivered"


async def test_numbers_come_by_themselves_and_nothing_moves(desk: Desk) -> None:
    """While an export runs its page shows what is under way, without a reload; what is on it stays
    in its place; and a stall is told where the page had none."""
    export_id = await running(desk, "Live")
    await beat(desk, export_id, 300, ago=0)
    async with desk.at(Role.ENGINEER) as page:
        await page.goto(f"/exports/{export_id}")
        under = page.locator("[data-now=under]")
        await expect(under).to_have_text("300 objects in 1 shard")
        before = await page.locator("#steer").bounding_box()
        await beat(desk, export_id, 450, ago=0)
        await expect(under).to_have_text("450 objects in 1 shard")
        assert await page.locator("#steer").bounding_box() == before
        assert await page.locator(".news").is_hidden()
        await silent(desk, export_id)
        await page.locator(".news", has_text="Stalled").wait_for()
    await desk.world.post("engineer", f"/v1/exports/{export_id}/cancel")


async def test_cancelling_asks_twice(desk: Desk) -> None:
    """What cancelling comes to stands behind one click, the act behind a second one."""
    export_id = await running(desk, "Cancelled")
    async with desk.at(Role.LEGAL_COUNSEL, java_script_enabled=False) as page:
        await page.goto(f"/exports/{export_id}")
        act = page.get_by_role("button", name="Yes, stop it and erase what is staged")
        assert await act.is_hidden()
        await page.get_by_text("Cancel this export").click()
        await expect(page.get_by_text("This cannot be taken back.")).to_be_visible()
        await act.click()
        await expect(page.locator("main")).to_contain_text("Cancelled")
    shown = (await desk.world.get("admin", f"/v1/exports/{export_id}")).json()
    assert shown["state"] == "cancelled"


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_no_state_of_an_export_has_a_fault_that_axe_knows(
    desk: Desk, plane: Plane, states: dict[str, str], size: str, theme: str
) -> None:
    """axe finds nothing on the list or on any state of an export, at both widths, in both themes,
    and nothing is wider than the window."""
    async with desk.at(Role.ENGINEER, size=size, color_scheme=theme) as page:
        for show in SHOWN:
            await page.goto(f"/exports?show={show}")
            await demand_good(page, show)
        for state, path in states.items():
            if state == "running":
                await beat(desk, path.removeprefix("/exports/"), 200, ago=0)
            await page.goto(path)
            assert state in (await page.locator(".ask").inner_text()).casefold()
            await demand_good(page, path)


SHOWN = ("running", "waiting", "ready", "ended")


async def demand_good(page: Page, path: str) -> None:
    """No fault, and no scrolling sideways."""
    assert await faults(page) == [], path
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{path} is {wide} px too wide"


@pytest.fixture(scope="module")
async def states(desk: Desk, plane: Plane) -> AsyncIterator[dict[str, str]]:
    """The page of an export in each state."""
    made = {name: await running(desk, f"State {name}") for name in ("running", "paused", "stalled")}
    await beat(desk, made["running"], 200, ago=0)
    await desk.world.post("engineer", f"/v1/exports/{made['paused']}/pause")
    await silent(desk, made["stalled"])
    made["failed"] = await running(desk, "State failed")
    why = "Nothing is left at the destination: make room, then trigger again."
    end = ExportEnd(made["failed"], ExportState.FAILED, "destination_full", why)
    await ActivityEnvironment().run(Exports(desk.world.database).record_export_end, end)
    made["delivered"] = await running(desk, "State delivered")
    await plane.export(made["delivered"])
    view = await triggered(desk.world, await desk.world.cleared(title="State waits"))
    ready = await desk.world.cleared(title="State ready")
    yield {
        **{state: f"/exports/{export_id}" for state, export_id in made.items()},
        "waits for a second yes": f"/exports/{view['id']}",
        "special category": f"/requests/{ready['id']}/export",
    }
    for name in ("running", "paused", "stalled"):
        await desk.world.post("engineer", f"/v1/exports/{made[name]}/cancel")


async def running(desk: Desk, title: str) -> str:
    """An export with both its yeses, which no worker has taken up."""
    export = await triggered(desk.world, await desk.world.cleared(title=title))
    await desk.world.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    return str(export["id"])


async def beat(desk: Desk, export_id: str, objects: int, ago: float) -> None:
    """What a worker says of itself in one second."""
    said = Beat(export_id, "shards", 10, 1_000_000, 1, objects, objects * 1000, False, 1.0)
    at = now() - timedelta(seconds=ago)
    await desk.world.database.write(lambda u: pulses.write(u, "worker-1", [said], at))


async def silent(desk: Desk, export_id: str) -> None:
    """Nobody has said a word of it for a minute."""

    def work(unit: Unit) -> None:
        export = unit.session.get_one(Export, export_id)
        pulses.forget(unit.session, export_id)
        export.triggered_at -= timedelta(minutes=1)
        export.confirmed_at = export.triggered_at

    await desk.world.database.write(work)
