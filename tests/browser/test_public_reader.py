"""Somebody from the street reads the register, in a real browser, without a session."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.served import served
from tests.api.test_exports import delivered
from tests.api.test_public_register import refused
from tests.api.world import world
from tests.browser.desk import Desk, faults
from tests.browser.test_reviewer import LOOKS
from tests.browser.test_texts import COUNTS, ran
from tests.databases import SQLiteTemplate
from tests.payloads import PAYLOADS


@pytest.fixture(scope="module")
async def public(
    desk: Desk, sqlite_template: SQLiteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """A world of its own with a delivery, refusals and an open request in its register."""
    home: Path = tmp_path_factory.mktemp("register")
    async with world(sqlite_template.fresh(), home) as made, served(made.app) as http:
        await delivered(made, home)
        for i in range(0, 60, 6):
            some = [one.replace("\n", " ").replace("\u202e", "") for one in PAYLOADS[i : i + 6]]
            title, use = " ".join(some)[:190], "\n".join(some)
            await refused(made, title=title, intended_use=use, onward_recipients=some)
        await made.submitted(title="Still open")
        yield Desk(made, desk.browser, str(http.base_url).rstrip("/"))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_a_reader_finds_what_became_of_a_request(public: Desk, script: bool) -> None:
    """From the first page to an entry: search, open, read; with a script and without one."""
    async with public.page(java_script_enabled=script) as page:
        await page.goto("/")
        await page.get_by_role("link", name="public register").click()
        await expect(page.locator("main")).to_contain_text("Being decided")
        await page.get_by_role("link", name="Earlier entries").click()
        await page.get_by_label("What became of it").select_option("delivered")
        await page.get_by_role("button", name="Show these").click()
        await page.locator("ol.entries").get_by_role("link").click()
        for said in ("Four people without an interest approved it", "fewer than 100 objects",
                     "Written by Acme Ltd, and not by us"):  # fmt: skip
            await expect(page.locator("main")).to_contain_text(said)
        await expect(page.locator("nav")).to_have_count(0)


async def test_no_text_of_a_partner_runs(public: Desk) -> None:
    """All sixty texts stand in the register, without the policy that stops scripts; none runs."""
    ids = (await public.world.get("", "/v1/register", outcome="refused")).json()["items"]
    assert len(ids) == 10
    async with public.page(bypass_csp=True) as page:
        await page.add_init_script(COUNTS)
        for path in ("/register", *(f"/register/{one['id']}" for one in ids)):
            await page.goto(path)
            assert await ran(page) == 0, path


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_the_register_has_no_fault_that_axe_knows(
    public: Desk, size: str, theme: str
) -> None:
    """axe finds nothing on the list, with and without finds, and on entries; and they fit."""
    items = (await public.world.get("", "/v1/register")).json()["items"]
    ids = {one["outcome"]: one["id"] for one in items}
    async with public.page(size=size, color_scheme=theme) as page:
        for path in ("/register", "/register?partner=nobody", "/register/req_0",
                     *(f"/register/{one}" for one in ids.values())):  # fmt: skip
            await page.goto(path)
            assert await faults(page) == [], path
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"
