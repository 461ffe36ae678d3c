"""An admin's whole job and an auditor's, in a real browser; and every page of records looked at."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from sharing.stages import Role
from tests.browser.conftest import new_desk
from tests.browser.desk import Desk, faults, weight
from tests.browser.test_texts import COUNTS, ran
from tests.databases import SQLiteTemplate
from tests.payloads import PAYLOADS

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
RULE = """[[rule]]
name = "{name}"
objects_from = 1

[rule.export]
cooling_off_hours = 2
"""
MOST = 30 * 1024  # a page with its style and its script


@pytest.fixture
async def desk(
    chromium: Browser, sqlite_template: SQLiteTemplate, tmp_path: Path
) -> AsyncIterator[Desk]:
    """One for each test: what one of them writes down, another would have to show."""
    async with new_desk(chromium, sqlite_template, tmp_path) as made:
        yield made


async def another_admin(desk: Desk, name: str) -> str:
    """A second administrator, by the name under which the desk knows them."""
    if name not in desk.world.people:
        body = {"name": name, "email": f"{name}@example.org", "roles": ["admin"]}
        made = await desk.world.post("admin", "/v1/people", body)
        desk.world.people[name] = made.json()["id"]
    return name


@SCRIPT
async def test_an_admin_adds_a_person_and_has_a_policy_put_in_force(
    desk: Desk, script: bool
) -> None:
    """Adds a person, gives a role and takes one; proposes a policy with a mistake, which is told at
    its line with the text kept; mends it, tries it out; another admin approves it."""
    who = f"Robin {script}"
    view = await desk.world.submitted(title=f"Tried out {script}")
    async with desk.at(Role.ADMIN, java_script_enabled=script) as page:
        await page.goto("/people")
        await page.get_by_text("Put a person on record").click()
        await page.get_by_label("Name", exact=True).fill(who)
        await page.get_by_label("E-mail address", exact=True).fill(f"robin{script}@example.org")
        await page.get_by_label("auditor").check()
        await page.get_by_role("button", name="Put on record").click()
        await expect(page.locator("#said")).to_contain_text("on record")
        await expect(page.locator("h1")).to_have_text(who)
        await page.get_by_label("Give a role").select_option("engineer")
        await page.get_by_role("button", name="Give it").click()
        await expect(page.locator("#said")).to_contain_text("given")
        await page.get_by_role("button", name="Take away auditor").click()
        await expect(page.locator("#said")).to_contain_text("taken")
        await page.goto("/policy")
        text = page.get_by_label("The whole text, in TOML")
        await text.fill(RULE.format(name="Slow") + "engineerz = 3\n")
        await page.get_by_label("Because").fill("To think it over.")
        await page.get_by_role("button", name="Propose").click()
        await expect(page.locator("#propose")).to_contain_text("Line 7")
        await expect(page.locator("#propose")).to_contain_text("engineerz = 3")
        assert await page.get_by_label("Because").input_value() == "To think it over."
        assert (await text.input_value()).endswith("engineerz = 3\n")
        await text.fill(RULE.format(name=f"Slow {script}"))
        await page.get_by_role("button", name="Propose").click()
        await expect(page.locator("#said")).to_contain_text("proposed")
        await expect(page.locator("main")).to_contain_text(
            "another administrator has to approve it"
        )
        version = page.url.partition("?")[0]
        await page.get_by_role("link", name="Show what would differ").click()
        await expect(page.locator("main")).to_contain_text("2 hours before the trigger")
    async with desk.at(
        Role.ADMIN, await another_admin(desk, "second"), java_script_enabled=script
    ) as page:
        await page.goto("/")
        await page.get_by_role("link", name="waits for your approval").first.click()
        await expect(page).to_have_url(version)
        await page.get_by_role("button", name="Approve version").click()
        await expect(page.locator("#said")).to_contain_text("in force")
    await desk.world.post("partner", f"/v1/requests/{view['id']}/withdraw")


@SCRIPT
async def test_an_auditor_follows_an_entry_and_verifies(desk: Desk, script: bool) -> None:
    """Filters by what was refused and by a request, follows an entry to that request, reads it as
    it is stored, and verifies the whole log."""
    view = await desk.world.submitted(title=f"Followed {script}")
    await desk.world.post("engineer", f"/v1/requests/{view['id']}/withdraw")
    async with desk.at(Role.AUDITOR, java_script_enabled=script) as page:
        await page.goto("/audit")
        await page.get_by_label("About: the id of anything").fill(view["id"])
        await page.get_by_label("Only what was refused").check()
        await page.get_by_role("button", name="Show these").click()
        await expect(page).to_have_url(re.compile(f"about={view['id']}"))
        rows = page.locator(".log li")
        await expect(rows).to_have_count(1)
        await rows.locator("[data-row]").click()
        await expect(page.locator("h1")).to_contain_text("was refused")
        await page.get_by_text("As it is stored").click()
        await expect(page.locator("pre").first).to_contain_text('"refused.requests.withdraw"')
        await page.get_by_role("link", name=view["title"]).click()
        await expect(page).to_have_url(re.compile(f"/requests/{view['id']}$"))
        await page.goto("/audit")
        await page.get_by_role("button", name="Verify it now").click()
        await expect(page.locator("#said")).to_contain_text("nothing is missing")
        await expect(page.locator("aside")).to_contain_text("as auditor read it")
    await desk.world.post("partner", f"/v1/requests/{view['id']}/withdraw")


@SCRIPT
async def test_a_conflict_officer_confirms_an_end(desk: Desk, script: bool) -> None:
    """What somebody said of the end of their own waits at the top, is confirmed with a reason, and
    waits no more; their own is for another officer."""
    world = desk.world
    for who in ("engineer", "conflict_officer"):
        tie = {"person": world.people[who], "organisation": {"name": "Old Mill"}, "kind": "fund",
               "from": "2015-01-01", "detail": "Units of it."}  # fmt: skip
        made: dict[str, Any] = (await world.post(who, "/v1/interests", tie)).json()
        end = {"until": "2024-05-01", "reason": "I sold them."}
        assert (await world.post(who, f"/v1/interests/{made['id']}/end", end)).status_code == 201
    async with desk.at(Role.CONFLICT_OFFICER, java_script_enabled=script) as page:
        await page.goto("/interests/everybody")
        assert not script or await faults(page) == []
        await expect(page.locator("main")).to_contain_text("It is your own")
        await page.get_by_text("Confirm it", exact=True).click()
        await page.get_by_label("How you know").fill("The broker's letter.")
        assert not script or await faults(page) == []
        await page.get_by_role("button", name="Confirm the end").click()
        await expect(page.locator("#said")).to_contain_text("Confirmed")
        await expect(page.get_by_text("Confirm it", exact=True)).to_have_count(0)
        await expect(page.locator("main")).to_contain_text("confirmed by conflict_officer")


@SCRIPT
async def test_an_admin_lets_somebody_in_whose_data_it_is(desk: Desk, script: bool) -> None:
    """A link for one of the people in the data is made at the page of people, and opens theirs."""
    async with desk.at(Role.ADMIN, java_script_enabled=script) as page:
        await page.goto("/people")
        await page.get_by_text("Let somebody in whose data this is").click()
        await page.get_by_label("What the ledger of consents calls them").fill("s0")
        await page.get_by_role("button", name="Make a link").click()
        assert not script or await faults(page) == []
        link = await page.locator(".secret code").inner_text()
    async with desk.page(java_script_enabled=script) as page:
        await page.goto(desk.base + link[link.index("/sign-in/") :])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Who has my data").wait_for()


@SCRIPT
async def test_somebody_declares_says_better_and_ends_an_interest(desk: Desk, script: bool) -> None:
    """A mistake keeps what was typed; then it is declared, said better, ended, and the yearly
    statement is made."""
    async with desk.at(Role.ENGINEER, "engineer2", java_script_enabled=script) as page:
        await page.goto("/interests")
        await page.get_by_label("Organisation").fill("Nowhere Ltd")
        await page.get_by_label("From a day").fill("last year")
        await page.get_by_label("What it is, in your words").fill("A few shares.")
        await page.get_by_role("button", name="Declare").click()
        await expect(page.locator("#problems")).to_contain_text("must be a date")
        assert await page.get_by_label("Organisation").input_value() == "Nowhere Ltd"
        await page.get_by_label("From a day").fill("2020-01-01")
        await page.get_by_role("button", name="Declare").click()
        await page.get_by_role("link", name="Say it better").first.click()
        await page.get_by_label("What it is, in your words").fill("Shares worth 40.")
        await page.get_by_role("button", name="Declare").click()
        await expect(page.locator("#said")).to_contain_text("recorded")
        await page.get_by_text("It has ended").first.click()
        await page.get_by_label("Its last day").first.fill("2024-05-01")
        await page.get_by_label("How it ended").first.fill("Sold.")
        await page.get_by_role("button", name="It has ended").first.click()
        await expect(page.locator("#said")).to_contain_text("end of the interest")
        await page.get_by_role("button", name="I state this").click()
        await expect(page.locator("#said")).to_contain_text("statement is recorded")


async def filled(desk: Desk) -> dict[Role, list[str]]:
    """Every page of records, by who looks at it, in a world with something on each."""
    world = desk.world
    await another_admin(desk, "third")
    body = {"text": RULE.format(name="Axe"), "reason": "To look at."}
    number = (await world.post("admin", "/v1/policies", body)).json()["number"]
    found = (await world.get("admin", "/v1/organisations", search="acme")).json()["items"]
    near = {"person": world.people["engineer"], "organisation": {"name": "Acmee Ltd"},
            "kind": "fund", "from": "2020-01-01", "detail": "Units."}  # fmt: skip
    await world.post("conflict_officer", "/v1/interests", near)
    return {
        Role.ADMIN: [
            "/", "/people", f"/people/{world.people['engineer']}", "/partners",
            f"/partners/{world.partner}", "/datasets", "/datasets/profile-photos", "/notices",
            "/notices/privacy", "/organisations", f"/organisations/{found[0]['id']}", "/policy",
            f"/policy/{number}", f"/policy/{number}/dry-run", "/interests", "/people?q=nobody-here",
        ],
        Role.AUDITOR: ["/", "/audit", "/audit/1", "/audit?action=nothing", "/audit?from=soon"],
        Role.CONFLICT_OFFICER: ["/interests", "/interests/everybody"],
        Role.CONSENT_STEWARD: ["/notices/privacy", "/audit"],
    }  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_no_page_of_records_has_a_fault(desk: Desk, size: str, theme: str) -> None:
    """axe finds nothing, nothing is wider than the screen, and no page with its style and script is
    heavier than 30 KB."""
    for role, paths in (await filled(desk)).items():
        async with desk.at(role, size=size, color_scheme=theme) as page:
            for path in paths:
                answer = await page.goto(path)
                assert answer is not None
                assert await faults(page) == [], path
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} is {wide} px too wide"
                size_of = await weight(page)
                assert size_of <= MOST, f"{path} weighs {size_of} bytes"


async def texts(desk: Desk) -> dict[Role, list[str]]:
    """Sixty texts wherever an admin, a partner's name or a colleague may write; the pages that show
    them."""
    world, pages = desk.world, [f"/people?q={quote(PAYLOADS[0])}", "/people", "/partners"]
    text = "\n".join(PAYLOADS).replace("\u202e", "")
    for i in range(0, len(PAYLOADS), 6):
        line = " ".join(PAYLOADS[i : i + 6]).replace("\n", " ").replace("\u202e", "")[:190]
        person = {"name": line, "email": f"x{i}@example.org", "roles": []}
        made: dict[str, Any] = (await world.post("admin", "/v1/people", person)).json()
        partner = {"name": line, "parents": [{"name": line[::-1]}]}
        other = (await world.post("admin", "/v1/partners", partner)).json()
        notice = {"name": line[:60], "version": line[60:100] or "1", "text": text,
                  "purposes": ["ai:ModelTraining"], "categories": ["pd:Picture"]}  # fmt: skip
        assert (await world.post("admin", "/v1/notices", notice)).status_code == 201
        tie = {"person": world.people["auditor"], "organisation": {"name": line}, "kind": "gift",
               "from": "2020-01-01", "detail": text[:4900]}  # fmt: skip
        await world.post("conflict_officer", "/v1/interests", tie)
        pages += [f"/people/{made['id']}", f"/partners/{other['id']}",
                  f"/notices/{quote(line[:60], safe='')}", f"/organisations?q={quote(line[:60])}",
                  f"/audit?about={quote(line[:60])}"]  # fmt: skip
    policy = "".join(f"# {one}\n" for one in text.split("\n"))
    await world.post("admin", "/v1/policies", {"text": policy, "reason": text[:4900]})
    pages += ["/notices", "/audit", "/policy", "/organisations"]
    return {Role.ADMIN: pages, Role.CONFLICT_OFFICER: ["/interests/everybody", "/interests"]}


async def test_no_text_on_a_page_of_records_runs(desk: Desk) -> None:
    """All sixty texts stand in names, notices, interests, policies and filters, and none runs, also
    without the policy that would stop a script."""
    for role, paths in (await texts(desk)).items():
        async with desk.at(role, bypass_csp=True) as page:
            await page.add_init_script(COUNTS)
            for path in paths:
                answer = await page.goto(path)
                assert answer is not None
                assert answer.status < 500, path
                assert await ran(page) == 0, path
