"""A real Chromium, one for the whole run, before the application behind a real server."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.api.served import served
from tests.api.world import world
from tests.browser.desk import LONG, Desk
from tests.databases import SQLiteTemplate

HOW_TO_GET_CHROMIUM = "No Chromium to look with: `apt-get install chromium`."


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser; skips, saying how to get it, where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip(HOW_TO_GET_CHROMIUM)
    expect.set_options(timeout=LONG)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def new_desk(chromium: Browser, template: SQLiteTemplate, home: Path) -> AsyncIterator[Desk]:
    """The application with people, a partner and a dataset, and the browser before it."""
    async with world(template.fresh(), home) as made, served(made.app) as http:
        yield Desk(made, chromium, str(http.base_url).rstrip("/"))


@pytest.fixture(scope="module")
async def desk(
    chromium: Browser, sqlite_template: SQLiteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """One for each file: a policy that is approved in one would hold for all that follow."""
    async with new_desk(chromium, sqlite_template, tmp_path_factory.mktemp("browser")) as made:
        yield made
