"""The public register: what is told when, the same as page, JSON and feed; and nothing else."""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sharing.records.tables import now
from tests.api.served import served
from tests.api.test_exports import delivered
from tests.api.test_page_texts import bones, shown
from tests.api.test_recalls import word
from tests.api.visitor import Visitor
from tests.api.world import World
from tests.payloads import PAYLOADS

ATOM = "{http://www.w3.org/2005/Atom}"
STUB = {"id", "outcome", "submitted_on", "ended_on", "summary"}


async def listed(world: World, **query: Any) -> list[dict[str, Any]]:
    """The register as anybody gets it, without a token."""
    answer = await world.get("", "/v1/register", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def refused(world: World, **changes: Any) -> dict[str, Any]:
    """A request that the first gate refused, with a reason that is nobody else's business."""
    view = await world.submitted(**changes)
    said = await world.decide(view, "purpose_review", "refused", reason="A private reason.")
    assert said.status_code == 201, said.text
    return view


async def test_an_open_request_only_exists(there: World) -> None:
    """While it is judged, and where it was taken back, nothing says who asks, or for what."""
    view = await there.submitted(title="A title", intended_use="A use that nobody knows yet.")
    gone = await there.submitted(title="Another")
    await there.post("partner", f"/v1/requests/{gone['id']}/withdraw")
    items = await listed(there)
    assert [(one["id"], one["outcome"]) for one in items] == [
        (gone["id"], "withdrawn"), (view["id"], "open"),
    ]  # fmt: skip
    assert all(set(one) == STUB for one in items)
    async with served(there.app) as http:
        pages = [
            (await Visitor(http).open(path)).text
            for path in ("/register", f"/register/{view['id']}", f"/register/{gone['id']}",
                         f"/v1/register/{view['id']}", "/register.atom")
        ]  # fmt: skip
    for page in pages:
        assert not [one for one in ("Acme", "A title", "nobody knows", "ModelTraining")
                    if one in page]  # fmt: skip
    for query in ({"partner": "acme"}, {"partner": there.partner}, {"purpose": "ai:ModelTraining"}):
        assert await listed(there, **query) == []


async def test_a_refusal_is_told_and_its_reason_is_not(there: World) -> None:
    """Who was refused, for what, at which question and when; never the reason, or by whom."""
    view = await refused(there)
    answer = await there.get("", f"/v1/register/{view['id']}")
    entry = answer.json()
    assert (entry["outcome"], entry["recipient"]) == ("refused", "Acme Ltd")
    assert entry["gates"][0] == {
        "stage": "purpose_review", "outcome": "refused", "on": now().date().isoformat(),
    }  # fmt: skip
    assert (entry["delivered"], entry["to_come_back"]) == (None, None)
    assert "refused at this question: May data be used for this at all?" in entry["summary"]
    async with served(there.app) as http:
        page = (await Visitor(http).open(f"/register/{view['id']}")).text
    for inside in ("A private reason", "purpose_reviewer", there.people["purpose_reviewer"]):
        assert inside not in answer.text
        assert inside not in page
    assert "Written by Acme Ltd, and not by us" in page


async def test_a_delivery_tells_what_went_out_in_round_numbers(here: World, tmp_path: Path) -> None:
    """Day, bound of the number and end of keeping are told; after a withdrawal also that something
    is to come back, and of nobody whose it is."""
    await delivered(here, tmp_path)
    [entry] = await listed(here)
    assert entry["outcome"] == "delivered"
    assert entry["delivered"]["objects"] == {"about": None, "below": 100}
    assert entry["to_come_back"] is None
    assert [gate["outcome"] for gate in entry["gates"]] == ["approved"] * 4
    said = await here.post("consent_steward", "/v1/consents", [word("s0", "withdrawn")])
    assert said.json()["accepted"] == 1
    [entry] = await listed(here)
    assert entry["to_come_back"] == {"about": None, "below": 100}
    assert "fewer than 100 people" in entry["summary"]
    assert "s0" not in json.dumps(entry)


async def test_it_is_searched_by_addresses(there: World) -> None:
    """Partner, purpose, outcome and year each narrow it; what does not fit is not there."""
    no = await refused(there)
    open_one = await there.submitted()
    year = now().year
    for query, found in (
        ({"partner": "ACME"}, [no]), ({"partner": "%"}, []), ({"partner": there.other}, []),
        ({"purpose": "ai:ModelTraining"}, [no]), ({"purpose": "dpv:Marketing"}, []),
        ({"outcome": "refused"}, [no]), ({"outcome": "open"}, [open_one]),
        ({"year": year}, [open_one, no]), ({"year": year - 1}, []),
    ):  # fmt: skip
        assert [one["id"] for one in await listed(there, **query)] == [v["id"] for v in found], (
            query
        )
    for bad in ({"outcome": "x"}, {"year": "x"}, {"cursor": "x"}, {"cursor": "WyJ4IiwieCJd"}):
        assert (await there.get("", "/v1/register", **bad)).status_code == 422, bad
    async with served(there.app) as http:
        page = await Visitor(http).open("/register?partner=nobody&outcome=x&year=x")
        assert (page.status_code, "Nothing fits" in page.text) == (200, True)
        assert (await Visitor(http).open("/register/req_0")).status_code == 404


async def test_its_pages_join_up(there: World) -> None:
    """Walking it one by one finds each entry once, the latest first."""
    made = [(await there.submitted(title=f"No {i}"))["id"] for i in range(3)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = (await there.get("", "/v1/register", limit=1, **cursor)).json()
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert seen == made[::-1]


@pytest.mark.parametrize("path", ["/register", "/register.atom", "/v1/register"])
async def test_who_has_it_already_is_sent_nothing(here: World, path: str) -> None:
    """The tag of an answer brings 304 until something changes, then the new answer."""
    first = await here.http.get(path)
    tag = first.headers["etag"]
    bare = tag.removeprefix("W/")
    assert first.headers["cache-control"] == "public, max-age=60"
    again = await here.http.get(path, headers={"If-None-Match": f'"other", W/{bare}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await refused(here)
    changed = await here.http.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] == tag) == (200, False)


async def test_the_feed_is_what_readers_expect(here: World) -> None:
    """RFC 4287: ids that are IRIs and stay, titles, times, an author, links; one entry for each
    decided request, the last decided first; well formed whatever a partner wrote."""
    texts = [one for one in PAYLOADS if "\n" not in one][:3]
    made = [await refused(here, onward_recipients=[text]) for text in texts]
    await here.submitted()
    answer = await here.http.get("/register.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    root = ElementTree.fromstring(answer.content)  # noqa: S314
    assert root.tag == f"{ATOM}feed"
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    links = {one.get("rel"): one.get("href") for one in root.findall(f"{ATOM}link")}
    assert links["self"] == "http://127.0.0.1:8080/register.atom"
    entries = root.findall(f"{ATOM}entry")
    assert [e.findtext(f"{ATOM}id") for e in entries] == [
        uuid.uuid5(uuid.NAMESPACE_OID, view["id"]).urn for view in made[::-1]
    ]
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated") or "").tzinfo
    assert all(one.findtext(f"{ATOM}summary") for one in entries)
    ids = [root.findtext(f"{ATOM}id"), *(e.findtext(f"{ATOM}id") for e in entries)]
    assert len(set(ids)) == 4
    assert all(str(one).startswith("urn:uuid:") for one in ids)
    empty = ElementTree.fromstring((await here.http.get("/register.atom")).content)  # noqa: S314
    assert empty.findtext(f"{ATOM}id") == ids[0]


async def test_words_of_a_partner_stay_words(here: World) -> None:
    """All sixty texts stand on an entry's page as text: it is built as one with plain words is."""
    plain = await refused(here, title="Plain", intended_use="Plain words.", onward_recipients=["A"])
    async with served(here.app) as http:
        built = bones((await Visitor(http).open(f"/register/{plain['id']}")).text)
        for text in PAYLOADS:
            line = text.replace("\n", " ").replace("\u202e", "")
            view = await refused(
                here, title=line, intended_use=text.replace("\u202e", ""), onward_recipients=[line]
            )
            page = (await Visitor(http).open(f"/register/{view['id']}")).text
            assert bones(page) == built, text
            assert page.count(shown(view["title"])) >= 2


async def test_the_sign_in_page_leads_to_it(here: World) -> None:
    """Who is signed out finds the register from the first page."""
    assert 'href="/register"' in (await here.http.get("/")).text
