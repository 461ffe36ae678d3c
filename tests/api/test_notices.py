"""Notices over HTTP: words in several languages, and people who say which versions agree."""

import hashlib
from typing import Any

import pytest

from sharing.records import notices
from tests.api.world import World, request_body

NOTICE = {
    "name": "privacy",
    "version": "4",
    "text": "We may train models, and say so more clearly.",
    "purposes": ["ai:ModelTraining"],
    "categories": ["pd:ProfilePicture"],
}
PLACE = "/v1/notices/privacy/compatibility"
SAME = {"older": "3", "newer": "4", "compatible": True, "reason": "Only the wording changed."}


async def newer(world: World, **changes: Any) -> Any:
    """A version 4 of the world's notice."""
    answer = await world.post("admin", "/v1/notices", {**NOTICE, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def stands(world: World) -> list[str]:
    """The versions of the world's notice that stand, as rules see them."""
    found = await world.database.read(notices.terms)
    return [version for (_, version), told in found.items() if told.stands]


async def test_every_language_is_kept_and_hashed(there: World) -> None:
    """A notice comes back with its words in each language, and the hash of each."""
    words = {"pt-br": "Podemos treinar modelos.", "de": "Wir trainieren Modelle."}
    made = await newer(there, language="en-gb", texts=words)
    assert made["language"] == "en-GB"
    assert made["texts"] == {"de": words["de"], "en-GB": NOTICE["text"], "pt-BR": words["pt-br"]}
    assert made["texts_sha256"] == {
        tag: hashlib.sha256(said.encode()).hexdigest() for tag, said in made["texts"].items()
    }
    listed = (await there.get("partner", "/v1/notices")).json()["items"]
    assert listed[-1] == made


async def test_a_notice_without_a_language_is_english(here: World) -> None:
    """The contract's own body is enough, and its text is taken as English."""
    made = await newer(here)
    assert (made["language"], made["texts"]) == ("en", {"en": NOTICE["text"]})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"language": "english language"}, "language"),
        ({"language": "e"}, "language"),
        ({"texts": {"not a tag": "x"}}, "texts"),
        ({"texts": {"de": ""}}, "texts.de"),
        ({"texts": {"de": "x", "DE": "y"}}, "texts"),
        ({"texts": {"en": "Something else."}}, "texts.en"),
    ],
)
async def test_words_in_no_language_are_refused(
    shared: World, change: dict[str, Any], path: str
) -> None:
    """A language that is no BCP 47 tag, told twice or at odds with `text` names its field."""
    answer = await shared.post("admin", "/v1/notices", {**NOTICE, "version": "bad", **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"].startswith(path)


async def test_an_older_version_falls_until_a_person_says_that_it_stands(there: World) -> None:
    """A newer version takes the older one down; the latest decision says whether it is back."""
    assert await stands(there) == ["3"]
    await newer(there)
    assert await stands(there) == ["4"]
    answer = await there.post("legal_counsel", PLACE, SAME)
    assert answer.status_code == 201, answer.text
    assert answer.json()["decided_by"] == there.people["legal_counsel"]
    assert await stands(there) == ["3", "4"]
    await there.post("consent_steward", PLACE, {**SAME, "compatible": False})
    assert await stands(there) == ["4"]


async def test_a_decision_can_be_read_by_everybody_inside(there: World) -> None:
    """Decisions are listed with who took them and why; what nobody decided is listed as such."""
    await newer(there)
    before = (await there.get("auditor", PLACE)).json()
    assert before["undecided"] == [{"older": "3", "newer": "4"}]
    assert (before["decisions"], before["stands"]) == ([], ["4"])
    made = (await there.post("legal_counsel", PLACE, SAME)).json()
    after = (await there.get("auditor", PLACE)).json()
    assert (after["decisions"], after["undecided"], after["stands"]) == ([made], [], ["3", "4"])
    last = (await there.audit())[-1]
    assert last["action"] == "notice.compatibility_decided"
    assert (last["actor"], last["detail"]["decision"]) == (
        there.people["legal_counsel"],
        made["id"],
    )
    told = (await there.get("auditor", "/v1/events", limit=200)).json()["items"][-1]
    assert told["type"] == "clearance.notice.compatibility_decided"
    assert told["data"] == {"older": "3", "newer": "4", "compatible": True}


@pytest.mark.parametrize(
    ("place", "change", "status", "path"),
    [
        (PLACE, {"older": "4", "newer": "3"}, 422, "newer"),
        (PLACE, {"older": "3", "newer": "3"}, 422, "newer"),
        (PLACE, {"older": "2"}, 422, "older"),
        (PLACE, {"reason": ""}, 422, "reason"),
        (PLACE, {"compatible": "yes"}, 422, "compatible"),
        ("/v1/notices/absent/compatibility", {}, 404, ""),
    ],
)
async def test_only_an_older_and_a_newer_version_can_be_compared(
    here: World, place: str, change: dict[str, Any], status: int, path: str
) -> None:
    """What is no pair of versions in their order is refused by its field, and changes nothing."""
    await newer(here)
    answer = await here.post("legal_counsel", place, {**SAME, **change})
    assert answer.status_code == status, answer.text
    assert [e["path"] for e in answer.json().get("errors", [])] == ([path] if path else [])
    assert await stands(here) == ["4"]


async def test_terms_can_be_asked_as_of_a_moment(there: World) -> None:
    """The terms as of each moment between changes are those that held then."""
    first = await there.database.read(lambda s: s.get_one(notices.Notice, ("privacy", "3")))
    second = await newer(there)
    await there.post("legal_counsel", PLACE, SAME)
    [decision] = await there.database.read(notices.decisions)
    moments = [first.created_at, decision.decided_at]

    def standing(session: Any) -> list[list[str]]:
        given = session.get_one(notices.Notice, ("privacy", second["version"])).created_at
        return [
            [v for (_, v), told in notices.terms(session, at).items() if told.stands]
            for at in (moments[0], given, moments[1])
        ]

    assert await there.database.read(standing) == [["3"], ["4"], ["3", "4"]]


async def test_the_gate_says_what_nobody_decided(here: World) -> None:
    """Gate 2 has a gap that names the two versions, and excludes who read the older one."""
    await newer(here)
    await newer(here, name="ads", version="1", purposes=["dpv:Marketing"])
    await newer(here, name="ads", version="2", purposes=["dpv:Marketing"])
    view = await here.submitted()
    await here.decide(view, "purpose_review")
    found = finding(await here.seen(view))
    assert found["result"] == "gap"
    assert "privacy 3 with 4" in found["detail"]
    assert "ads" not in found["detail"]
    await here.post("legal_counsel", PLACE, SAME)
    answer = await here.post("partner", "/v1/requests", request_body(title="Again"))
    await here.decide(answer.json(), "purpose_review")
    assert finding(await here.seen(answer.json()))["result"] == "compliant"


def finding(view: Any) -> Any:
    """What gate 2 found about notices."""
    findings = view["stages"][1]["findings"]
    return next(one for one in findings if one["check"] == "notice_compatibility")
