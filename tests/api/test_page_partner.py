"""A partner's pages over real HTTP: what they show, what each act comes to, and what is kept."""

from typing import Any

import pytest

from sharing.stages import GATES, Role
from tests.api.test_page_texts import handlers
from tests.api.visitor import Visitor, forms, link, visiting
from tests.api.world import World
from tests.payloads import PAYLOADS

NEW = "/requests/new"
FIELDS = {
    "title": "Crosswalk detection",
    "dataset": "profile-photos",
    "purpose": "ai:ModelTraining",
    "intended_use": "Train a model that finds crosswalks in photos, and publish its accuracy.",
    "fields": "photo",
    "limit": "1 000",
    "legal_basis": "gdpr:A6-1-a",
    "special_category_basis": "gdpr:A9-2-a",
    "retention_days": "365",
    "trains_models": "yes",
    "onward_recipients": "",
    "format": "webdataset",
}


LARGEST = 20_000  # bytes of a page without its style and script, which are the same for all
# What the form of the world's request would send.
SAME = {
    **FIELDS,
    "title": "Face matching research",
    "intended_use": "Research.",
    "limit": "1000",
}


async def sent(
    visitor: Visitor, path: str, action: str, fields: dict[str, Any], to: str = ""
) -> Any:
    """What a form of a page answers, filled in with these fields; `to` is another button's."""
    form = await visitor.form(path, action)
    return await visitor.send(to or form.action, {**form.fields, **fields})


async def test_a_request_is_submitted_by_the_form(here: World) -> None:
    """The form makes the request that the API makes, grouped numbers included, and leads to it."""
    async with visiting(here, Role.PARTNER) as (partner,):
        answer = await sent(partner, NEW, "/submit", FIELDS)
        assert answer.status_code == 303, answer.text
        where = answer.headers["location"]
        page = await partner.open(where)
    assert "Your request is recorded" in page.text
    view = (await here.get("partner", f"/v1{where.partition('?')[0]}")).json()
    assert (view["title"], view["scope"]["limit"]) == (FIELDS["title"], 1000)
    assert (view["scope"]["fields"], view["trains_models"]) == (["photo"], True)
    assert view["onward_recipients"] == []


async def test_what_is_missing_is_said_at_its_field_and_nothing_is_lost(here: World) -> None:
    """A form that does not hold records nothing, names every field, and keeps what was typed."""
    wrong = {**FIELDS, "purpose": "", "limit": "many", "taken_after": "soon", "title": "Mine <b>"}
    async with visiting(here, Role.PARTNER) as (partner,):
        answer = await sent(partner, NEW, "/submit", wrong)
    assert answer.status_code == 422
    for words in (
        "Purpose is required",
        "must be a whole number",
        'value="many"',
        "Mine &lt;b&gt;",
    ):
        assert words in answer.text
    assert (await here.get("partner", "/v1/requests")).json()["items"] == []


async def test_a_check_says_what_will_be_asked_and_records_nothing(here: World) -> None:
    """Before it is complete, a check tells the gates and what the machine will note; a script gets
    that part alone."""
    short = {**FIELDS, "title": "", "intended_use": "Research.", "retention_days": "9000"}
    async with visiting(here, Role.PARTNER) as (partner,):
        page = await sent(partner, NEW, "/submit", short, f"{NEW}/check")
        form = await partner.form(NEW, "/submit")
        part = await partner.send(
            f"{NEW}/check", {**form.fields, **short}, {**partner.own, "X-Part": "1"}
        )
    for text in (page.text, part.text):
        assert "still to fill in: title" in text
        assert "at most 1825 are allowed" in text
        assert "too short to publish" in text
    assert ("<html" in page.text, "<html" in part.text) == (True, False)
    assert (await here.get("partner", "/v1/requests")).json()["items"] == []


async def test_drafts_are_kept_continued_and_deleted(here: World) -> None:
    """An incomplete form is kept, opened again with all that was typed, kept anew, and deleted."""
    async with visiting(here, Role.PARTNER) as (partner,):
        first = await sent(
            partner, NEW, "/submit", {"title": "Half", "limit": "lots"}, f"{NEW}/draft"
        )
        assert first.status_code == 303, first.text
        where = first.headers["location"].partition("&")[0]
        again = await partner.open(where)
        assert 'value="Half"' in again.text
        assert 'value="lots"' in again.text
        draft = where.partition("=")[2]
        kept = await sent(partner, where, "/submit", {"title": "More"}, f"/drafts/{draft}/keep")
        assert kept.status_code == 303, kept.text
        assert "More" in (await partner.open("/requests")).text
        gone = await sent(partner, "/requests", f"/drafts/{draft}/delete", {})
        assert gone.headers["location"].startswith("/requests?said=discarded")
        assert (await partner.open(where)).status_code == 404
    assert (await here.get("partner", "/v1/drafts")).json()["items"] == []


async def test_a_submitted_draft_is_gone(here: World) -> None:
    """What was submitted is no draft any more."""
    made = (await here.post("partner", "/v1/drafts", {"title": "Mine"})).json()
    async with visiting(here, Role.PARTNER) as (partner,):
        answer = await sent(partner, f"{NEW}?draft={made['id']}", "/submit", FIELDS)
        assert answer.status_code == 303, answer.text
    assert (await here.get("partner", "/v1/drafts")).json()["items"] == []


async def returned(world: World) -> dict[str, Any]:
    """A request that the first gate sent back."""
    view = await world.submitted(intended_use="Research.")
    reason = "Say what the model is for."
    answer = await world.decide(view, "purpose_review", "returned", reason=reason)
    assert answer.status_code == 201, answer.text
    return view


async def test_a_returned_request_is_changed_and_sent_again(here: World) -> None:
    """The reason stands above the form, the finding at its answer; only what was compared is sent,
    and only what differs changes."""
    view = await returned(here)
    path = f"/requests/{view['id']}"
    use = "Train a model that finds crosswalks in photos."
    change = {**SAME, "intended_use": use, "limit": "500"}
    async with visiting(here, Role.PARTNER) as (partner,):
        assert "Sent back to you" in (await partner.open("/requests")).text
        page = (await partner.open(f"{path}/revise")).text
        assert "Say what the model is for." in page
        assert "too short to publish" in page
        unseen = await sent(partner, f"{path}/revise", "/send", change)
        assert unseen.status_code == 409
        assert (await here.seen(view))["revision"] == 1
        compared = await sent(partner, f"{path}/revise", "/send", change, f"{path}/compare")
        assert compared.status_code == 200, compared.text
        assert "<del>1\u202f000</del> \u2192 <ins>500</ins>" in compared.text
        form = {**forms_of(compared.text, "/send"), **change}
        other = await partner.send(f"{path}/send", {**form, "limit": "400"})
        assert other.status_code == 409
        done = await partner.send(f"{path}/send", form)
        assert done.headers["location"].startswith(f"{path}?said=revised"), done.text
    now = await here.seen(view)
    assert (now["revision"], now["scope"]["limit"], now["title"]) == (2, 500, view["title"])


def forms_of(html: str, action: str) -> dict[str, Any]:
    """The fields of a form of a page that was answered."""
    found = next(one for one in forms(html) if one.action.endswith(action))
    return found.fields


async def test_a_form_from_before_a_revision_changes_nothing(here: World) -> None:
    """Where the request changed meanwhile nothing is sent, and the page compares anew."""
    view = await returned(here)
    path = f"/requests/{view['id']}"
    async with visiting(here, Role.PARTNER) as (partner,):
        compared = await sent(
            partner, f"{path}/revise", "/send", {**SAME, "limit": "500"}, f"{path}/compare"
        )
        form = {**forms_of(compared.text, "/send"), **SAME, "limit": "500"}
        await here.post("partner", f"/v1{path}/revisions", {"retention_days": 30})
        answer = await partner.send(f"{path}/send", form)
    assert answer.status_code == 409
    assert "changed meanwhile" in answer.text
    assert (await here.seen(view))["revision"] == 2
    last = (await here.audit())[-1]
    assert (last["action"], last["detail"]["code"]) == ("refused.requests.amend", "stale_digest")


async def test_withdrawing_takes_more_than_one_click(here: World) -> None:
    """Without the tick nothing is withdrawn; with it the request has ended."""
    view = await here.submitted()
    path = f"/requests/{view['id']}"
    async with visiting(here, Role.PARTNER) as (partner,):
        assert (await sent(partner, path, "/withdraw", {})).status_code == 422
        assert (await here.seen(view))["state"] == "purpose_review"
        done = await sent(partner, path, "/withdraw", {"sure": "yes"})
        assert done.status_code == 303
        page = (await partner.open(done.headers["location"])).text
    assert "You no longer asked" in page
    assert (await here.seen(view))["state"] == "withdrawn"


@pytest.mark.parametrize(
    "path", ["", "/revise", "/agreement", "/live"], ids=lambda p: p or "itself"
)
async def test_anothers_request_is_not_there(here: World, path: str) -> None:
    """Another partner's request is the same 404 as one that does not exist."""
    view = await here.submitted(title="Nobody else's business")
    async with visiting(here, Role.PARTNER) as (visitor,):
        await visitor.sign_in(await link(here, Role.PARTNER, "other"))
        found = [
            await visitor.open(f"/requests/{one}{path}") for one in (view["id"], "req_" + "0" * 20)
        ]
        listed = (await visitor.open("/requests")).text
    assert [one.status_code for one in found] == [404, 404]
    assert "business" not in listed
    assert "business" not in found[0].text


async def test_no_page_names_anybody_inside(here: World) -> None:
    """A partner's pages have roles, and no id, name or address of a person inside."""
    view = await here.submitted(title="Whole way")
    for stage in GATES:
        assert (await here.decide(view, stage)).status_code == 201
    async with visiting(here, Role.PARTNER) as (partner,):
        own = f"/requests/{view['id']}"
        pages = ("/", "/requests", own, "/duties", NEW, f"{own}/agreement", f"{own}/revise")
        assert (await partner.open("/")).headers["location"] == "/requests"
        for path in pages[1:]:
            answer = await partner.open(path)
            assert answer.status_code == 200, (path, answer.text)
            for person in here.people.values():
                assert person not in answer.text, path
            assert "@example.org" not in answer.text, path
            assert len(answer.content) < LARGEST, (path, len(answer.content))


@pytest.mark.parametrize("half", [0, 1])
async def test_what_a_partner_writes_stays_text_on_its_own_pages(here: World, half: int) -> None:
    """All sixty texts, in requests, drafts and forms that are shown again, run nothing there."""
    texts = PAYLOADS[half::2]
    lines = [one.replace("\n", " ").replace("\u202e", "") for one in texts]
    odd: dict[str, Any] = {"title": " ".join(lines)[:190], "intended_use": "\n".join(lines)}
    view = await here.submitted(**odd, onward_recipients=lines)
    await here.decide(view, "purpose_review", "returned", reason="\n".join(lines))
    draft = {**odd, "purpose": lines[0], "dataset": lines[1], "scope": {"limit": lines[2]}}
    made = (await here.post("partner", "/v1/drafts", {**draft, "onward_recipients": lines})).json()
    own = f"/requests/{view['id']}"
    async with visiting(here, Role.PARTNER) as (partner,):
        pages = [
            (await partner.open(path)).text
            for path in ("/requests", own, f"{own}/revise", f"{own}/agreement",
                         f"{NEW}?draft={made['id']}")
        ]  # fmt: skip
        fields = {**FIELDS, **odd, "onward_recipients": "\n".join(lines), "limit": lines[3]}
        fields |= {"dataset": lines[1], "taken_after": lines[2], "push": lines[4], "fields": lines}
        buttons = (f"{NEW}/submit", f"{NEW}/check", f"{NEW}/outlook")
        pages += [(await sent(partner, NEW, "/submit", fields, one)).text for one in buttons]
        compare = await sent(partner, f"{own}/revise", "/send", fields, f"{own}/compare")
        pages.append(compare.text)
    for page in pages:
        assert handlers(page) == []
        assert "&lt;" in page
        assert not [one for one in texts if "<" in one and one in page]
