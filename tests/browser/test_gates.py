"""Each gate's whole job in a real browser: look, read, decide; desk and phone, with and without a
script; and two people at one gate at once."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from sharing.stages import GATE_ROLES, GATES, Role, Stage
from tests.api.shown_photos import laid_out
from tests.browser.desk import Desk, faults

View = dict[str, Any]
WAYS: dict[str, dict[str, Any]] = {
    "desk": {"size": "desk", "color_scheme": "light"},
    "phone": {"size": "phone", "color_scheme": "dark", "java_script_enabled": False},
}


@pytest.fixture(scope="module", autouse=True)
async def photos(desk: Desk) -> None:
    """Real photos lie where the index says."""
    await laid_out(desk.world)


async def at_gate(desk: Desk, stage: Stage, title: str, **changes: Any) -> View:
    """A request that waits at that gate."""
    view = await desk.world.submitted(title=title, **changes)
    for before in GATES[: GATES.index(stage)]:
        assert (await desk.world.decide(view, before)).status_code == 201
    return view


async def another(desk: Desk, name: str, role: Role) -> str:
    """One more person with a role, under that name."""
    if name not in desk.world.people:
        body = {"name": name, "email": f"{name.split()[0].lower()}@example.org", "roles": [role]}
        made = await desk.world.post("admin", "/v1/people", body)
        assert made.status_code == 201, made.text
        desk.world.people[name] = made.json()["id"]
    return name


async def filled(page: Page, reason: str) -> None:
    """Everything that an approval needs, but for the last click."""
    await page.get_by_label("approve", exact=False).first.check()
    await page.get_by_label("because").fill(reason)
    if await page.locator("[name=screening_read]").count():
        await page.locator("[name=screening_read]").check()
    await page.get_by_label("I have no interest").check()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", GATES)
async def test_each_gate_from_the_inbox_to_a_decision(desk: Desk, stage: Stage, way: str) -> None:
    """The gate's own person finds the request, looks at photos, comments, and approves."""
    title = f"Whole job {stage} {way}"
    view = await at_gate(desk, stage, title)
    async with desk.at(GATE_ROLES[stage], **WAYS[way]) as page:
        await page.goto(f"/reviews?q={title}")
        await page.get_by_role("link", name=title).click()
        await page.get_by_role("button", name="Show a few of the photos").click()
        await expect(page.locator("#said")).to_contain_text("That you looked is recorded")
        await expect(page.locator(".photos img")).to_have_count(3)
        for image in await page.locator(".photos img").all():
            await expect(image).to_have_js_property("complete", value=True)
            assert way == "phone" or await image.evaluate("image => image.naturalWidth") > 0
        await page.get_by_label("Comment", exact=True).fill(f"Seen by {stage}.")
        await page.get_by_role("button", name="Add the comment").click()
        await expect(page.locator(".talk")).to_contain_text(f"Seen by {stage}.")
        if way == "desk":  # axe is a script
            assert await faults(page) == []
        await filled(page, "As it should be.")
        await page.get_by_role("button", name="Record my decision").click()
        await expect(page.locator("#said")).to_contain_text("Your approval is recorded.")
        await expect(page.locator(".photos")).to_have_count(0)
    decided = (await desk.world.seen(view))["stages"][GATES.index(stage)]["decisions"]
    assert [one["outcome"] for one in decided] == ["approved"]


async def test_counsel_reads_how_the_agreement_differs(desk: Desk) -> None:
    """A term that was added stands on the page as a difference to the template."""
    view = await at_gate(desk, Stage.LEGAL_APPROVAL, "With a term")
    path = f"/v1/requests/{view['id']}/agreement"
    found = (await desk.world.get("legal_counsel", path)).json()
    term = {
        "agreement_digest": found["digest"],
        "kind": "duty",
        "action": "report_breach",
        "text": "Report every breach within 24 hours.",
        "due": {"within_hours": 24},
    }
    added = await desk.world.post("legal_counsel", f"{path}/terms", term)
    assert added.status_code == 201, added.text
    async with desk.at(Role.LEGAL_COUNSEL) as page:
        await page.goto(f"/requests/{view['id']}")
        await expect(page.locator("main")).to_contain_text("Beside the template it says")
        follows = await page.locator(".choice.approved").inner_text()
        assert "once the partner has accepted this version" in follows
        ins = page.locator("ins", has_text="Report every breach within 24 hours.")
        await expect(ins).to_have_count(1)
        assert await faults(page) == []


@pytest.mark.parametrize("way", WAYS)
async def test_counsel_adds_a_term_and_lets_a_signatory_accept(desk: Desk, way: str) -> None:
    """From the request to the agreement: a term that is mended and added, and a link for whoever
    signs for the partner."""
    view = await at_gate(desk, Stage.LEGAL_APPROVAL, f"A term more {way}")
    async with desk.at(Role.LEGAL_COUNSEL, **WAYS[way]) as page:
        await page.goto(f"/requests/{view['id']}")
        await page.get_by_role("link", name="Add a term").click()
        await page.get_by_text("Add a term", exact=True).click()
        await page.get_by_label("What, in words").fill("report every breach within a day")
        await page.get_by_label("In one word").fill("report_breach")
        await page.get_by_role("button", name="Add the term").click()
        await expect(page.locator("#e-due")).to_contain_text("a duty needs exactly one")
        if way == "desk":  # axe is a script
            assert await faults(page) == []
        await page.get_by_label("Number").fill("24")
        await page.get_by_label("Of", exact=True).select_option("within_hours")
        await page.get_by_role("button", name="Add the term").click()
        await expect(page.locator("#said")).to_contain_text("The term is added")
        await page.get_by_text("Make a link for their signatory").click()
        await page.get_by_label("Signatory", exact=True).fill("Dara Okonkwo")
        await page.get_by_label("E-mail address").fill("dara@acme.example")
        await page.get_by_role("button", name="Make the link").click()
        await expect(page.locator(".secret code")).to_contain_text("/agreement/")
        if way == "desk":
            assert await faults(page) == []
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0


async def test_who_is_recused_sees_why_and_nothing_among_colleagues(desk: Desk) -> None:
    """The officer signs whom the record recuses, by name and with the path drawn; that person sees
    why they cannot act, no photos and no internal comment."""
    view = await at_gate(desk, Stage.CONFLICT_SIGNOFF, "With a recused officer")
    name = await another(desk, "Rita Recused", Role.CONFLICT_OFFICER)
    interest = {"person": desk.world.people[name], "organisation": {"name": "Acme Ltd"},
                "kind": "fund", "from": "2015-01-01", "detail": "units"}  # fmt: skip
    made = await desk.world.post("conflict_officer", "/v1/interests", interest)
    assert made.status_code == 201, made.text
    words = {"text": "Only among us."}
    await desk.world.post("legal_counsel", f"/v1/requests/{view['id']}/comments", words)
    async with desk.at(Role.CONFLICT_OFFICER, name) as page:
        await page.goto(f"/requests/{view['id']}")
        said = await page.locator("main").inner_text()
        assert "You cannot decide here" in said
        assert "you are recused" in said
        assert "Only among us." not in said
        await expect(page.get_by_role("button", name="Show a few of the photos")).to_have_count(0)
        await expect(page.get_by_label("Comment", exact=True)).to_have_count(0)
        assert await faults(page) == []
    async with desk.at(Role.CONFLICT_OFFICER) as page:
        await page.goto(f"/requests/{view['id']}")
        await expect(page.locator(".deed")).to_contain_text("these are recused: Rita Recused")
        assert await page.locator("svg.path").count() >= 1
        assert desk.world.people[name] not in await page.locator(".story").inner_text()
        await filled(page, "Rita steps aside.")
        await page.get_by_role("button", name="Record my decision").click()
        await expect(page.locator("#said")).to_contain_text("Your approval is recorded.")


async def test_two_people_at_one_gate_at_once(desk: Desk) -> None:
    """What one says and decides appears at the other's page as it happens, and moves nothing there;
    the second decision is not recorded, and the page says why."""
    view = await at_gate(desk, Stage.PURPOSE_REVIEW, "Two at once")
    second = await another(desk, "Paula Purpose", Role.PURPOSE_REVIEWER)
    path = f"/requests/{view['id']}"
    async with desk.at(Role.PURPOSE_REVIEWER) as one, desk.at(Role.PURPOSE_REVIEWER, second) as two:
        await one.goto(path)
        await two.goto(path)
        await filled(two, "I was reading.")
        news = two.locator(".news")
        assert await news.is_hidden()
        await one.get_by_label("Comment", exact=True).fill("Look at the volume.")
        await one.get_by_role("button", name="Add the comment").click()
        await expect(news).to_contain_text("A comment among colleagues")
        await filled(one, "It is narrow.")
        await one.get_by_role("button", name="Record my decision").click()
        await expect(news).to_contain_text("approved")
        assert await two.get_by_label("because").input_value() == "I was reading."
        await two.get_by_role("button", name="Record my decision").click()
        await expect(two.locator(".deed")).to_contain_text("You wrote this. It is not recorded")
        await expect(two.locator("#problems")).to_contain_text("Nothing was recorded")
        await expect(two.locator("main")).to_contain_text("It is narrow.")
    taken = (await desk.world.seen(view))["stages"][0]["decisions"]
    assert [decision["reason"] for decision in taken] == ["It is narrow."]


async def test_the_keyboard_alone_is_enough(desk: Desk) -> None:
    """j, Enter, d, then the form by Tab, Space and Enter: a decision without a mouse."""
    view = await at_gate(desk, Stage.PURPOSE_REVIEW, "By keys alone")
    async with desk.at(Role.PURPOSE_REVIEWER) as page:
        await page.goto("/reviews?q=By+keys+alone")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/requests/{view['id']}")
        await page.wait_for_load_state()
        await page.keyboard.press("d")
        await page.keyboard.press("Space")
        for name, key in (("reason", ""), ("no_interest", "Space"), ("", "Enter")):
            await _tabbed_to(page, name)
            await (page.keyboard.press(key) if key else page.keyboard.type("By hand."))
        await page.locator("#said").wait_for()
        await expect(page.locator("#said")).to_contain_text("Your approval is recorded.")
    taken = (await desk.world.seen(view))["stages"][0]["decisions"]
    assert [decision["reason"] for decision in taken] == ["By hand."]


async def _tabbed_to(page: Page, name: str) -> None:
    """Tabs on to a field of the form, or to its button where there is no name."""
    for _ in range(12):
        await page.keyboard.press("Tab")
        found = await page.evaluate(
            "(e => e.name || (e.tagName === 'BUTTON' && e.matches('.deed > button') ? '' : null))"
            "(document.activeElement)"
        )
        if found == name:
            return
    raise AssertionError(f"{name!r} cannot be reached by Tab")
