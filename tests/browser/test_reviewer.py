"""A reviewer's whole job, in a real browser."""

import pytest
from playwright.async_api import expect

from sharing.stages import Role
from tests.browser.desk import Desk, faults

LOOKS = [(size, theme) for size in ("desk", "phone") for theme in ("light", "dark")]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_three_clicks_from_the_inbox_to_a_decision(desk: Desk, script: bool) -> None:
    """A reviewer opens the inbox, the request, and decides; with a script and without one."""
    view = await desk.world.submitted(title=f"Three clicks {script}")
    async with desk.at(Role.PURPOSE_REVIEWER, java_script_enabled=script) as page:
        await page.goto("/reviews")
        await page.get_by_role("link", name=view["title"]).click()
        await page.get_by_label("approve").check()
        await page.get_by_label("because").fill("The use is narrow.")
        await page.get_by_label("I have no interest").check()
        await page.get_by_role("button", name="Record my decision").click()
        await expect(page.locator("#said")).to_contain_text("Your approval is recorded.")
        assert await page.evaluate("document.activeElement.id") == "said" if script else True
    now = await desk.world.seen(view)
    taken = now["stages"][0]["decisions"]
    assert [(one["outcome"], one["reason"]) for one in taken] == [
        ("approved", "The use is narrow.")
    ]


async def test_a_stale_page_cannot_decide(desk: Desk) -> None:
    """After a revision the old form records nothing, says what changed, and keeps the reason."""
    view = await desk.world.submitted(title="Stale")
    async with desk.at(Role.PURPOSE_REVIEWER) as page:
        await page.goto(f"/requests/{view['id']}")
        path = f"/v1/requests/{view['id']}/revisions"
        assert (await desk.world.post("partner", path, {"retention_days": 99})).status_code == 201
        await page.get_by_label("approve").check()
        await page.get_by_label("because").fill("As I read it.")
        await page.get_by_label("I have no interest").check()
        await page.get_by_role("button", name="Record my decision").click()
        await expect(page.locator("main")).to_contain_text("You were reading revision 1")
        await expect(page.locator("main")).to_contain_text("Kept for, in days")
        assert await page.get_by_label("because").input_value() == "As I read it."
    assert (await desk.world.seen(view))["stages"][0]["decisions"] == []


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_pages_have_no_fault_that_axe_knows(desk: Desk, size: str, theme: str) -> None:
    """axe finds nothing on any page, at both widths and in both themes."""
    view = await desk.world.submitted(title="Axe " + "W" * 90)
    async with desk.at(Role.PURPOSE_REVIEWER, size=size, color_scheme=theme) as page:
        for path in (
            "/",
            "/reviews",
            "/reviews?show=decided",
            f"/requests/{view['id']}",
            "/requests/x",
        ):
            await page.goto(path)
            assert await faults(page) == [], path
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"
    async with desk.page(size=size, color_scheme=theme) as page:
        for path in ("/", "/sign-in/x", "/reviews"):
            await page.goto(path)
            assert await faults(page) == [], path
