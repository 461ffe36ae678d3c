"""Somebody at a browser: signed in by a real link, with one page open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from sharing.records import sign_ins
from sharing.stages import Role
from tests.api.visitor import holder
from tests.api.world import World

LONG = 60_000  # milliseconds, for a machine that is busy with other things
SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@dataclass(frozen=True, slots=True)
class Desk:
    """The world behind the pages, the browser, and where the pages are."""

    world: World
    browser: Browser
    base: str

    async def link(self, role: Role, who: str = "") -> str:
        """A new sign-in link for somebody with that role."""
        hour, whose = timedelta(hours=1), holder(self.world, role, who)
        code = await self.world.database.write(
            lambda unit: sign_ins.issue(unit.session, role, hour, **whose)
        )
        return f"{self.base}/sign-in/{code}"

    @asynccontextmanager
    async def page(self, size: str = "desk", **options: Any) -> AsyncIterator[Page]:
        """A page in a context of its own, for nobody yet."""
        width, height = SIZES[size]
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, base_url=self.base, **options
        )
        try:
            page = await context.new_page()
            page.set_default_timeout(LONG)
            yield page
        finally:
            await context.close()

    @asynccontextmanager
    async def at(self, role: Role, who: str = "", **options: Any) -> AsyncIterator[Page]:
        """A page of somebody who has signed in by a link."""
        async with self.page(**options) as page:
            await page.goto(await self.link(role, who))
            await page.get_by_role("button", name="Sign in").click()
            await page.get_by_role("button", name="Sign out").wait_for()
            yield page


async def faults(page: Page) -> list[str]:
    """What axe finds wrong with a page: rule and place."""
    found = (await Axe().run(page)).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


async def weight(page: Page) -> int:
    """Bytes that came over the wire for a page: itself, its style and its script."""
    loaded = await page.evaluate(
        """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
        .filter((one) => !one.name.endsWith(".svg"))
        .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
    )
    return int(loaded)
