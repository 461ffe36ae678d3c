"""A partner's whole job, in a real browser: from the first draft to the last word on what came."""

import base64
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.async_api import Page, expect

from sharing.keys import public_text
from sharing.stages import GATES, Role
from tests.api.test_exports import Plane, triggered
from tests.browser.desk import Desk, faults
from tests.payloads import PAYLOADS

USE = "Train a model that finds crosswalks in photos, and publish how well it does."
LOOKS = [("desk", "light"), ("desk", "dark"), ("phone", "light"), ("phone", "dark")]


@pytest.fixture(scope="module")
async def plane(desk: Desk) -> Plane:
    """The export worker of the desk's world, with photos to export."""
    made = Plane(desk.world, desk.world.app.state.backend.settings.home)
    await made.index()
    return made


async def asked(page: Page, title: str, *, script: bool) -> str:
    """Fills in the form by and by: looked at, kept as a draft, opened again, submitted. The path
    of the request."""
    await page.goto("/requests")
    await page.locator(".own").get_by_role("link", name="Ask for data").click()
    await page.get_by_label("Title").fill(title)
    await page.get_by_label("Purpose").select_option("ai:ModelTraining")
    await page.get_by_role("button", name="Check").last.click()
    await expect(page.locator("#seen")).to_contain_text("still to fill in: intended use")
    assert await page.get_by_label("Title").input_value() == title
    await page.get_by_role("button", name="Keep as a draft").click()
    await expect(page.locator("#said")).to_contain_text("The draft is kept")
    await page.goto("/requests")
    await page.get_by_role("link", name=title).click()
    await page.get_by_label("Intended use").fill(USE)
    await page.get_by_label("Models are trained").check()
    await page.get_by_label("Objects, at most").fill("1 000")
    await page.get_by_label("Legal basis").select_option("gdpr:A6-1-a")
    await page.get_by_label("Basis for a special").select_option("gdpr:A9-2-a")
    await page.get_by_label("Kept for, in days").fill("365")
    await page.get_by_role("button", name="How many agreed?").click()
    await expect(page.locator("#seen")).to_contain_text("Too few people")
    await expect(page.locator("#seen")).to_contain_text("Complete: it can be submitted.")
    await page.get_by_role("button", name="Submit the request").click()
    await expect(page.locator("#said")).to_contain_text("Your request is recorded")
    if script:
        assert await page.evaluate("document.activeElement.id") == "said"
    return page.url.partition(page.url.split("/requests/")[0])[2].partition("?")[0]


async def changed(page: Page, path: str, reason: str) -> None:
    """Reads why it was sent back, changes an answer, sees what changes, and sends it."""
    await page.goto("/requests")
    await expect(page.locator("main")).to_contain_text("Sent back to you")
    await page.goto(path)
    await expect(page.locator(".act")).to_contain_text(reason)
    await page.get_by_role("link", name="Change it").click()
    await page.get_by_label("Kept for, in days").fill("180")
    await page.get_by_role("button", name="Show what changes").click()
    await expect(page.locator("#changes")).to_contain_text("365 \u2192 180")
    await page.get_by_role("button", name="Send revision 2").click()
    await expect(page.locator("#said")).to_contain_text("The new revision is recorded")


async def accepted(desk: Desk, page: Page, path: str) -> None:
    """Counsel adds a term, all four approve, and the signatory signs what the page shows."""
    world, own = desk.world, Ed25519PrivateKey.generate()
    body = {"key": public_text(own), "signatory": "Mara Lindqvist"}
    await world.post("admin", f"/v1/partners/{world.partner}/keys", body)
    view = (await world.get("partner", f"/v1{path}")).json()
    for stage in GATES:
        if stage is GATES[-1]:
            term = {"kind": "prohibition", "action": "publish", "text": "Publish no face."}
            added = await world.post("legal_counsel", f"/v1{path}/agreement/terms", term)
            assert added.status_code == 201, added.text
        assert (await world.decide(view, stage)).status_code == 201
    await page.goto(path)
    await expect(page.locator("h1 + p")).to_contain_text("Your yes is missing")
    await page.get_by_role("link", name="Read and accept").click()
    await expect(page.locator("main")).to_contain_text("Publish no face.")
    await page.get_by_label("Signature").fill("bm8=")
    await page.get_by_role("button", name="Accept this version").click()
    await expect(page.locator("#problems")).to_contain_text("No key that is registered")
    lines = await page.locator("pre.sign").first.inner_text()
    signature = base64.b64encode(own.sign(f"{lines.strip()}\n".encode())).decode()
    await page.get_by_label("Signature").fill(signature)
    await page.get_by_role("button", name="Accept this version").click()
    await expect(page.locator("#said")).to_contain_text("The agreement is accepted")


async def exported(desk: Desk, plane: Plane, path: str) -> str:
    """People inside export it. The id of the export."""
    view = (await desk.world.get("admin", f"/v1{path}")).json()
    export = await triggered(desk.world, view)
    confirmed = await desk.world.post("engineer2", f"/v1/exports/{export['id']}/confirm")
    assert confirmed.status_code == 200, confirmed.text
    await plane.export(export["id"])
    return str(export["id"])


async def fetched(page: Page, path: str, folder: Path) -> None:
    """Fetches the manifest by its link, and says what was received by its own digest of it."""
    await page.goto(path)
    await page.get_by_role("link", name="Fetch the package").click()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="manifest.parquet").click()
    file = folder / "manifest.parquet"
    await (await coming.value).save_as(file)
    await page.get_by_label("SHA-256 of manifest.parquet").fill("0" * 63)
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("#problems")).to_contain_text("64 small letters")
    digest = sha256(file.read_bytes()).hexdigest()
    await page.get_by_label("SHA-256 of manifest.parquet").fill(digest)
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("#said")).to_contain_text("what you received is what was released")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_from_a_draft_to_what_was_received(
    desk: Desk, plane: Plane, tmp_path: Path, script: bool
) -> None:
    """A partner asks, changes what was sent back, accepts, fetches, acknowledges, and sees what it
    owes; with a script and without one."""
    title, reason = f"Crosswalks {script}", "A year is longer than you need."
    async with desk.at(Role.PARTNER, java_script_enabled=script, accept_downloads=True) as page:
        path = await asked(page, title, script=script)
        view: dict[str, Any] = (await desk.world.get("partner", f"/v1{path}")).json()
        assert view["title"] == title
        await desk.world.decide(view, "purpose_review", "returned", reason=reason)
        await changed(page, path, reason)
        await accepted(desk, page, path)
        export = await exported(desk, plane, path)
        await fetched(page, path, tmp_path)
        await page.goto("/duties")
        await expect(page.locator("main")).to_contain_text("Erase everything")
    shown = (await desk.world.get("partner", f"/v1/exports/{export}")).json()
    assert [one["outcome"] for one in shown["acknowledgements"]] == ["acknowledged"]
    assert (await desk.world.get("partner", "/v1/drafts")).json()["items"] == []


async def test_the_form_is_looked_at_while_it_is_filled_in(desk: Desk) -> None:
    """With a script, what stands beside the form follows what is typed, and nothing else moves."""
    async with desk.at(Role.PARTNER) as page:
        await page.goto("/requests/new")
        await page.get_by_label("Kept for, in days").fill("9000")
        await expect(page.locator("#seen")).to_contain_text("at most 1825 are allowed")
        await page.get_by_label("Kept for, in days").fill("long")
        await expect(page.locator("#seen")).to_contain_text("must be a whole number")
        assert await page.evaluate("document.activeElement.name") == "retention_days"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_what_is_said_of_an_answer_stands_at_it(desk: Desk, script: bool) -> None:
    """A reviewer speaks of one answer and returns the request; on the phone the partner follows the
    list to that answer, reads it there, answers in words, and changes it."""
    view = await desk.world.submitted(title=f"Spoken of {script}")
    own = f"/requests/{view['id']}"
    async with desk.at(Role.PURPOSE_REVIEWER, java_script_enabled=script) as page:
        await page.goto(own)
        await page.locator("#f-text").fill("Ninety days will do.")
        await page.get_by_label("Who reads it").select_option("partner")
        await page.get_by_label("About", exact=True).select_option("retention_days")
        await page.get_by_role("button", name="Add the comment").click()
        await expect(page.locator("#said")).to_contain_text("Your comment is there")
    await desk.world.decide(view, "purpose_review", "returned", reason="See the comment.")
    async with desk.at(Role.PARTNER, size="phone", java_script_enabled=script) as page:
        await page.goto(own)
        await page.get_by_text("Answer", exact=True).click()
        await page.get_by_label("To the people who decide").fill("Ninety it is.")
        await page.get_by_role("button", name="Send it").click()
        await expect(page.locator("#said")).to_contain_text("Your comment is there")
        await page.locator(".jump").click()
        await (
            page.get_by_role("navigation", name="Said of what you ask")
            .get_by_role("link")
            .first.click()
        )
        await expect(page).to_have_url(re.compile("#f-retention_days$"))
        field = page.get_by_label("Kept for, in days")
        described = str(await field.get_attribute("aria-describedby")).split()
        assert "c-retention_days" in described
        await expect(page.locator("#c-retention_days")).to_contain_text("Ninety days will do.")
        assert not script or await faults(page) == []
        await field.fill("90")
        await page.get_by_role("button", name="Show what changes").click()
        await page.get_by_role("button", name="Send revision 2").click()
        await expect(page.locator("#said")).to_contain_text("The new revision is recorded")
    assert (await desk.world.seen(view))["retention_days"] == 90
    await desk.world.post("partner", f"/v1{own}/withdraw")


async def test_withdrawn_by_a_tick_and_a_button(desk: Desk) -> None:
    """A partner withdraws a request, and its page says that it has ended."""
    view = await desk.world.submitted(title="No longer")
    async with desk.at(Role.PARTNER, java_script_enabled=False) as page:
        await page.goto(f"/requests/{view['id']}")
        await page.get_by_text("Withdraw it").click()
        await page.get_by_label("I no longer ask").check()
        await page.get_by_role("button", name="Withdraw the request").click()
        await expect(page.locator("#said")).to_contain_text("The request is withdrawn")
    assert (await desk.world.seen(view))["state"] == "withdrawn"


async def test_no_text_runs_on_a_partners_pages(desk: Desk) -> None:
    """All sixty texts in a request, a reason and a draft stand on the partner's pages as text,
    without the policy that would stop them."""
    lines = [one.replace("\n", " ").replace("\u202e", "") for one in PAYLOADS]
    odd = {"title": " ".join(lines)[:190], "intended_use": "\n".join(lines)[:4900]}
    view = await desk.world.submitted(**odd, onward_recipients=lines)
    reason = "\n".join(lines)[:4900]
    await desk.world.decide(view, "purpose_review", "returned", reason=reason)
    made = (await desk.world.post("partner", "/v1/drafts", odd)).json()
    own = f"/requests/{view['id']}"
    async with desk.at(Role.PARTNER, bypass_csp=True) as page:
        await page.add_init_script("window.ran = () => { window.times = (window.times || 0) + 1; }")
        for path in ("/requests", own, f"{own}/revise", f"{own}/agreement",
                     f"/requests/new?draft={made['id']}"):  # fmt: skip
            await page.goto(path)
            await page.wait_for_timeout(300)
            assert await page.evaluate("window.times || 0") == 0, path
    await desk.world.post("partner", f"/v1{own}/withdraw")
    await desk.world.call("partner", "DELETE", f"/v1/drafts/{made['id']}")


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_pages_have_no_fault_that_axe_knows(desk: Desk, size: str, theme: str) -> None:
    """axe finds nothing on a partner's pages, which hold at both widths and in both themes."""
    view = await desk.world.submitted(title="Axe", intended_use="Research.")
    await desk.world.decide(view, "purpose_review", "returned")
    own = f"/requests/{view['id']}"
    async with desk.at(Role.PARTNER, size=size, color_scheme=theme) as page:
        for path in ("/requests", "/requests/new", own, f"{own}/revise", f"{own}/agreement",
                     "/duties", "/requests/x"):  # fmt: skip
            await page.goto(path)
            assert await faults(page) == [], path
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"
    await desk.world.post("partner", f"/v1{own}/withdraw")
