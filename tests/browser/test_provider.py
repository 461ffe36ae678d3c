"""Signing in by an identity provider that others wrote, in a real browser, from site to site."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import expect

from tests.api.own_provider import use
from tests.api.served import served
from tests.api.world import world
from tests.browser.desk import Desk, faults
from tests.databases import SQLiteTemplate

WAIT = 180.0


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[str]:
    """oidc-provider-mock in a process of its own. It is `localhost` and our pages are 127.0.0.1:
    for a browser these are two sites, as in life."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oidc_provider_mock", "-H", "127.0.0.1", "-p", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://localhost:{port}"
    try:
        async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(WAIT):
            while not await _there(http, address):
                await asyncio.sleep(0.2)
            for who in ("engineer", "legal_counsel"):
                claims = {"email": f"{who}@example.org", "email_verified": who == "engineer"}
                said = await http.put(f"{address}/users/{who}", json=claims)
                assert said.status_code == 204, said.text
        yield address
    finally:
        process.terminate()
        await process.wait()


async def _there(http: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address}/jwks")).status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module")
async def inside(
    desk: Desk,
    provider: str,
    sqlite_template: SQLiteTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Desk]:
    """A world of its own whose people sign in by that provider."""
    home: Path = tmp_path_factory.mktemp("provider")
    async with world(sqlite_template.fresh(), home) as made, served(made.app) as http:
        base = str(http.base_url).rstrip("/")
        names = {"oidc_client_id": "clearance", "oidc_client_secret": "secret"}
        use(made, oidc_issuer=provider, api_url=base, **names)
        yield Desk(made, desk.browser, base)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_an_engineer_comes_in_and_goes(inside: Desk, script: bool) -> None:
    """From the first page to the provider, back, on in a role, and out again: here, there, and
    back to a page of ours."""
    async with inside.page(java_script_enabled=script) as page:
        await page.goto("/")
        await page.get_by_role("link", name="Sign in").click()
        await page.get_by_placeholder("sub").fill("engineer")
        await page.get_by_role("button", name="Authorize").click()
        await page.get_by_role("button", name="Go on as engineer").click()
        await page.get_by_role("button", name="Sign out").wait_for()
        await expect(page.locator(".who")).to_contain_text("engineer")
        await expect(page).to_have_url(f"{inside.base}/")
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="End session").click()
        await expect(page).to_have_url(f"{inside.base}/signed-out")
        await page.goto("/reviews")
        await expect(page.locator("main")).to_contain_text("You are signed out")
    actions = [entry["action"] for entry in await inside.world.audit()]
    assert actions[-3:] == ["sign_in.issued", "session.opened", "session.ended"]


@pytest.mark.parametrize(
    ("sub", "heading"),
    [
        ("", "You were not signed in"),
        ("stranger", "Nobody here is known as you"),
        ("legal_counsel", "Your address is not made sure of"),
    ],
)
async def test_who_is_not_let_in_is_told_why(inside: Desk, sub: str, heading: str) -> None:
    """Who says no there, is not on record, or has no verified address lands on a page for people,
    without a fault that axe knows."""
    async with inside.page(size="phone") as page:
        await page.goto("/")
        assert await faults(page) == []
        await page.get_by_role("link", name="Sign in").click()
        if sub:
            await page.get_by_placeholder("sub").fill(sub)
        await page.get_by_role("button", name="Authorize" if sub else "Deny").click()
        await page.get_by_role("heading", name=heading).wait_for()
        assert await faults(page) == []
        await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


async def test_the_choice_of_a_role_has_no_fault(inside: Desk) -> None:
    """axe finds nothing on the page between the provider and the session."""
    async with inside.page(size="phone", color_scheme="dark") as page:
        await page.goto("/sign-in/provider")
        await page.get_by_placeholder("sub").fill("engineer")
        await page.get_by_role("button", name="Authorize").click()
        await page.get_by_role("button", name="Go on as engineer").wait_for()
        assert await faults(page) == []
