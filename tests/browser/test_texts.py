"""In a real browser, without the policy that would stop a script anyway: no text runs."""

from typing import Any

from playwright.async_api import Page

from sharing.stages import Role
from tests.browser.desk import Desk
from tests.payloads import PAYLOADS

COUNTS = "window.ran = () => { window.times = (window.times || 0) + 1; };"
WAIT = 300  # milliseconds: images fail, animations begin
HALF = len(PAYLOADS) // 2


async def ran(page: Page) -> int:
    """How often a text has run on this page."""
    await page.wait_for_timeout(WAIT)
    times: int = await page.evaluate("window.times || 0")
    return times


async def written(desk: Desk, texts: list[str]) -> dict[str, Any]:
    """A request with these texts wherever a partner may write."""
    lines = [one.replace("\n", " ").replace("\u202e", "") for one in texts]
    return await desk.world.submitted(
        title=" ".join(lines)[:190], intended_use="\n".join(lines), onward_recipients=lines
    )


async def test_no_text_of_a_partner_runs(desk: Desk) -> None:
    """All sixty texts stand on requests' pages, the inbox and the first page, and none runs; put
    into a bare page as markup, they do."""
    made = [await written(desk, some) for some in (PAYLOADS[:HALF], PAYLOADS[HALF:])]
    async with desk.at(Role.PURPOSE_REVIEWER, bypass_csp=True) as page:
        await page.add_init_script(COUNTS)
        for path in ("/", "/reviews", *(f"/requests/{view['id']}" for view in made)):
            await page.goto(path)
            assert await page.evaluate("typeof window.ran") == "function"
            assert await ran(page) == 0, path
    async with desk.page() as bare:
        await bare.set_content(f"<script>{COUNTS}</script>{''.join(PAYLOADS[:HALF])}")
        assert await ran(bare) > 5
    for view in made:
        await desk.world.post("partner", f"/v1/requests/{view['id']}/withdraw")
