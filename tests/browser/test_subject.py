"""A person in the data, in a real browser: sees who has it, takes it back, keeps the receipt."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.api.served import served
from tests.api.test_exports import delivered
from tests.api.world import world
from tests.browser.desk import Desk, faults
from tests.browser.test_reviewer import LOOKS
from tests.databases import SQLiteTemplate

FOCUSED = "document.activeElement.id"


@pytest.fixture(scope="module")
async def out(
    desk: Desk, sqlite_template: SQLiteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """A world of its own in which a package with s0, s1 and s2 was delivered."""
    home: Path = tmp_path_factory.mktemp("subjects")
    async with world(sqlite_template.fresh(), home) as made, served(made.app) as http:
        await delivered(made, home)
        yield Desk(made, desk.browser, str(http.base_url).rstrip("/"))


async def signed_in(desk: Desk, page: Page, subject: str) -> None:
    """Comes in by a link that an admin had made."""
    made = await desk.world.post("admin", "/v1/sign-in-links", {"subject": subject})
    await page.goto("/sign-in/" + made.json()["link"].rsplit("/", 1)[1])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Who has my data").wait_for()


@pytest.mark.parametrize(("script", "subject"), [(True, "s0"), (False, "s1")], ids=["script", "no"])
async def test_a_person_takes_everything_back(out: Desk, script: bool, subject: str) -> None:
    """From the link to the withdrawal: who received it, one act, the focus on what it came to, and
    a receipt that can be kept; with a script and without one."""
    async with out.page(java_script_enabled=script, accept_downloads=True) as page:
        await signed_in(out, page, subject)
        await expect(page.locator("main")).to_contain_text("Acme Ltd has received data of yours")
        await page.get_by_label("everything").check()
        await page.get_by_role("button", name="Take it back", exact=True).click()
        await expect(page.locator("#said")).to_contain_text("Taken back.")
        assert await page.evaluate(FOCUSED) == "said" if script else True
        await expect(page.locator("main")).to_contain_text("Nobody has confirmed yet")
        async with page.expect_download() as kept:
            await page.locator(".ended").get_by_role("link", name="Receipt").click()
        receipt = json.loads(Path(await (await kept.value).path()).read_text())
        assert receipt["payloadType"] == "application/vnd.clearance.consent-receipt+json"


async def test_a_person_takes_it_back_from_one_recipient(out: Desk) -> None:
    """At the share itself one button takes it back from that recipient alone."""
    async with out.page() as page:
        await signed_in(out, page, "s2")
        await page.get_by_role("button", name="Take it back from Acme Ltd").click()
        await page.locator("#said").wait_for()
        assert await page.evaluate(FOCUSED) == "said"
        words = await page.locator("main").inner_text()
        assert "Acme Ltd is bound by its agreement to erase" in words
        assert "You allow 1 use" in words


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_the_page_has_no_fault_that_axe_knows(out: Desk, size: str, theme: str) -> None:
    """axe finds nothing before a withdrawal, after one, and where nothing is known; it fits."""
    async with out.page(size=size, color_scheme=theme) as page:
        for subject in ("s3", "s2", "stranger"):
            await signed_in(out, page, subject)
            for path in ("/my-data", "/my-data?said=consent_withdrawn", "/my-data?after=x"):
                await page.goto(path)
                assert await faults(page) == [], (subject, path)
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} is {wide} px too wide"
