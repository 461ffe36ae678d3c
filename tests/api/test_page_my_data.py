"""The page of a person in the data: what it shows, and taking back in one act, by plain forms."""

from pathlib import Path
from typing import Any

import pytest

from sharing.records.notices import add
from tests.api.served import served
from tests.api.test_exports import delivered
from tests.api.visitor import Visitor, forms
from tests.api.world import World
from tests.payloads import PAYLOADS


async def subject(world: World, http: Any, name: str = "s0") -> Visitor:
    """A subject who came in by a link that an admin had made."""
    answer = await world.post("admin", "/v1/sign-in-links", {"subject": name})
    assert answer.status_code == 201, answer.text
    visitor = Visitor(http)
    came = await visitor.sign_in("/sign-in/" + answer.json()["link"].rsplit("/", 1)[1])
    assert came.status_code == 303, came.text
    http.cookies.clear()
    return visitor


async def test_a_link_leads_a_subject_to_its_own_page(there: World) -> None:
    """The link of an admin signs in once, the first page leads on, and only the log's own name of
    the subject is in the log."""
    async with served(there.app) as http:
        mine = await subject(there, http)
        first = await mine.open("/")
        assert (first.status_code, first.headers["location"]) == (303, "/my-data")
        page = (await mine.open("/my-data")).text
    for word in ("Who has my data", "Nobody outside has received", "Training AI models",
                 "I said yes", "We may train models.", "/v1/me/receipts/1"):  # fmt: skip
        assert word in page
    log = str(await there.audit())
    assert "sign_in.issued" in log
    assert "'s0'" not in log


@pytest.mark.parametrize("who", ["", "partner", "engineer", "subject"])
async def test_only_an_admin_makes_such_links(here: World, who: str) -> None:
    """Whoever else asks for a subject's link gets none."""
    answer = await here.post(who, "/v1/sign-in-links", {"subject": "s0"})
    assert answer.status_code == (403 if who else 401)


async def test_everything_is_taken_back_in_one_act(there: World, tmp_path: Path) -> None:
    """One form ends every yes; the page then says what ended, what the recipient owes, and offers
    nothing more to take back; sent twice it has one effect."""
    export = await delivered(there, tmp_path)
    async with served(there.app) as http:
        mine = await subject(there, http)
        before = (await mine.open("/my-data")).text
        for word in ("Acme Ltd", "received 2 photos of you", "May keep it until",
                     "privacy, version 3"):  # fmt: skip
            assert word in before, word
        form = forms(before)[-1]
        answers = [await mine.send(form.action, {**form.fields, "wish": "all"}) for _ in range(2)]
        assert {a.headers["location"] for a in answers} == {"/my-data?said=consent_withdrawn#said"}
        after = (await mine.open("/my-data?said=consent_withdrawn")).text
    for word in ("Taken back. It counts from this moment.", "What you took back",
                 "Nobody has confirmed yet that it did", "Nothing to take back"):  # fmt: skip
        assert word in after, word
    shares = (await there.get("subject", "/v1/me/shares")).json()["items"]
    assert [(s["export"], s["recall"]["state"]) for s in shares] == [(export["id"], "open")]
    told = (await there.get("subject", "/v1/me/consents")).json()["items"]
    assert [e["action"] for e in told] == ["given", "withdrawn"]
    assert (await there.get("subject1", "/v1/me/shares")).json()["items"][0]["recall"] is None


async def test_a_part_is_taken_back(here: World) -> None:
    """One purpose, or one recipient, ends alone; what was taken back already is said to be."""
    yes = {"notice": "privacy", "version": "3", "purpose": "ai:ModelTraining",
           "category": "pd:ProfilePicture", "recipient": here.partner}  # fmt: skip
    assert (await here.post("subject", "/v1/me/consents", yes)).status_code == 201
    async with served(here.app) as http:
        mine = await subject(here, http)
        said = [
            (await _withdrawn(mine, wish)).headers["location"]
            for wish in (f"recipient:{here.partner}", f"recipient:{here.partner}")
        ]
        assert said == [
            "/my-data?said=consent_withdrawn#said",
            "/my-data?said=nothing_to_withdraw#said",
        ]
        page = (await mine.open("/my-data?said=nothing_to_withdraw")).text
        assert "There was nothing left to take back" in page
        assert "You allow 1 use" in page
        await _withdrawn(mine, "purpose:ai:ModelTraining")
        assert "You allow no use" in (await mine.open("/my-data")).text


async def _withdrawn(mine: Visitor, wish: str) -> Any:
    form = await mine.form("/my-data", "/my-data/withdraw")
    return await mine.send(form.action, {**form.fields, "wish": wish})


async def test_a_choice_that_is_none_ends_nothing(here: World) -> None:
    """Without a choice the page says so at the form; an invented one is refused by its field; a
    form without our token is refused. None of them ends anything."""
    async with served(here.app) as http:
        mine = await subject(here, http)
        page = await _withdrawn(mine, "")
        assert (page.status_code, "Choose what you take back" in page.text) == (422, True)
        for wish in ("purpose:nonsense", "recipient:ptr_0"):
            assert (await _withdrawn(mine, wish)).status_code == 422
        assert (await mine.send("/my-data/withdraw", {"wish": "all"})).status_code == 403
        forged = await mine.send("/my-data/withdraw", {"wish": "all"}, {"Origin": "http://evil"})
        assert forged.status_code == 403
    assert [
        e["action"] for e in (await here.get("subject", "/v1/me/consents")).json()["items"]
    ] == ["given"]


async def test_nobody_else_sees_the_page(here: World) -> None:
    """Staff and partners get 403 there, and who is signed out is asked to sign in."""
    async with served(here.app) as http:
        for token, status in (
            (here.tokens["auditor"], 403),
            (here.tokens["partner"], 403),
            ("", 401),
        ):
            assert (await Visitor(http, token).open("/my-data")).status_code == status


async def test_who_was_never_asked_is_told_so(here: World) -> None:
    """A subject of whom nothing is known sees an honest page, without a form."""
    async with served(here.app) as http:
        page = (await (await subject(here, http, "stranger")).open("/my-data")).text
    assert "Nothing is on record about you" in page
    assert not [form for form in forms(page) if form.action.endswith("withdraw")]


async def test_long_histories_come_in_pages(here: World) -> None:
    """Further events are behind a link, and no event is on two pages."""
    yes = {"notice": "privacy", "version": "3", "purpose": "ai:ModelTraining",
           "category": "pd:ProfilePicture", "recipient": "*"}  # fmt: skip
    for _ in range(12):
        await here.post("subject", "/v1/me/consents", yes)
    async with served(here.app) as http:
        mine = await subject(here, http)
        first = (await mine.open("/my-data")).text
        link = first.split('<p class="more"><a href="')[1].split("#")[0]
        second = (await mine.open(link)).text
    assert (first.count("<b>I said yes</b>"), second.count("<b>I said yes</b>")) == (10, 3)


async def test_words_of_others_never_become_markup(here: World, tmp_path: Path) -> None:
    """A notice and a partner's words full of markup stand on the page as text."""
    lines = " ".join(PAYLOADS)
    await here.database.write(
        lambda u: add(
            u.session, "n\"'><b>", "1", lines, ["ai:ModelTraining"], ["pd:ProfilePicture"]
        )
    )
    yes = {"notice": "n\"'><b>", "version": "1", "purpose": "ai:ModelTraining",
           "category": "pd:ProfilePicture", "recipient": "*"}  # fmt: skip
    assert (await here.post("subject", "/v1/me/consents", yes)).status_code == 201
    async with served(here.app) as http:
        page = (await (await subject(here, http)).open("/my-data")).text
    assert "<script>alert" not in page
    assert "'><b>, version" not in page
