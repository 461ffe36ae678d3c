"""A subject's own view: what it said, under which words, and how it says yes and no."""

from typing import Any

import pytest

from sharing.records import parties
from tests.api.world import World

TERMS = {"purposes": ["ai:ModelTraining"], "categories": ["pd:ProfilePicture"]}
MATTER = {"purpose": "ai:ModelTraining", "category": "pd:ProfilePicture", "recipient": "*"}
YES = {"notice": "privacy", "version": "3", **MATTER}


async def mine(world: World, who: str = "subject", **query: Any) -> Any:
    """What a subject is shown about itself."""
    answer = await world.get(who, "/v1/me/consents", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def withdrawn(world: World, key: str | None = None, **wish: str) -> list[Any]:
    """What a subject's withdrawal ended."""
    answer = await world.post("subject", "/v1/me/withdrawals", wish, key)
    assert answer.status_code == 201, answer.text
    ended: list[Any] = answer.json()["ended"]
    return ended


async def test_a_subject_sees_what_it_said_and_under_which_words(there: World) -> None:
    """Each event comes with its terms in words, its notice's text, and what stands now."""
    told = await mine(there)
    [event] = told["items"]
    assert {name: event[name] for name in MATTER} == MATTER
    told_as = event["described"]
    assert told_as["purpose"].startswith("Training AI models. What a model learns")
    assert (told_as["category"], told_as["recipient"]) == ("The photograph on a profile", "Anyone")
    assert (event["action"], event["source"]) == ("given", "test")
    [notice] = told["notices"]
    assert (notice["name"], notice["version"]) == (event["notice"], event["notice_version"])
    assert (notice["language"], notice["text"]) == ("en", "We may train models.")
    [standing] = told["standing"]
    assert {name: standing[name] for name in MATTER} == MATTER
    assert (await there.get("subject", "/v1/me")).json()["subject"] == "s0"


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ({"language": "pt-br"}, "", "pt-BR"),
        ({"language": "pt-BR"}, "de", "pt-BR"),
        ({}, "fr;q=0.9, de-AT;q=0.8, pt-BR;q=0.1", "de"),
        ({}, "fr", "en"),
        ({}, "de;q=0, nonsense!!, *", "en"),
        ({}, "", "en"),
    ],
)
async def test_words_come_in_the_language_of_the_subject(
    here: World, query: dict[str, str], header: str, language: str
) -> None:
    """The text is in the first wanted language that there is, else as the notice was written."""
    texts = {"de": "Worte.", "pt-BR": "Palavras."}
    notice = {"name": "terms", "version": "1", "text": "Words.", "texts": texts, **TERMS}
    assert (await here.post("admin", "/v1/notices", notice)).status_code == 201
    yes = {**YES, "notice": "terms", "version": "1"}
    assert (await here.post("subject", "/v1/me/consents", yes)).status_code == 201
    answer = await here.call(
        "subject", "GET", "/v1/me/consents", params=query, headers={"Accept-Language": header}
    )
    shown = next(one for one in answer.json()["notices"] if one["name"] == "terms")
    assert shown["language"] == language
    assert shown["text"] == {**texts, "en": "Words."}[language]


async def test_one_call_takes_everything_back(there: World) -> None:
    """A withdrawal without a word ends all consents and says which; the second ends nothing."""
    await there.post("subject", "/v1/me/consents", {**YES, "recipient": there.partner})
    ended = await withdrawn(there)
    assert {one["recipient"] for one in ended} == {"*", there.partner}
    told = await mine(there)
    assert [e["action"] for e in told["items"]] == ["given", "given", "withdrawn", "withdrawn"]
    assert {s["reason"] for s in told["standing"]} == {"withdrawn"}
    assert not any(s["stands"] for s in told["standing"])
    assert {e["source"] for e in told["items"][1:]} == {"subject"}
    assert await withdrawn(there) == []
    assert len((await mine(there))["items"]) == 4


async def test_a_withdrawal_reaches_the_gate(there: World) -> None:
    """What a subject takes back is counted as withdrawn when a partner asks."""
    await withdrawn(there)
    view = await there.submitted()
    await there.decide(view, "purpose_review")
    findings = (await there.seen(view))["stages"][1]["findings"]
    assert "1 withdrawn" in next(f["detail"] for f in findings if f["check"] == "objects_excluded")


async def test_a_part_can_be_taken_back(here: World) -> None:
    """A withdrawal that names one partner leaves the yes to all others as it was."""
    [ended] = await withdrawn(here, recipient=here.partner)
    assert ended["recipient"] == here.partner
    told = {s["recipient"]: s["reason"] for s in (await mine(here))["standing"]}
    assert told[here.partner] == "withdrawn"
    assert told["*"] != "withdrawn"
    assert await withdrawn(here, purpose="dpv:Marketing") == []


async def test_the_same_key_takes_back_once(there: World) -> None:
    """A withdrawal sent twice with one Idempotency-Key is one withdrawal with one answer."""
    first = await withdrawn(there, key="once")
    await there.post("subject", "/v1/me/consents", YES)
    assert await withdrawn(there, key="once") == first
    assert [e["action"] for e in (await mine(there))["items"]] == ["given", "withdrawn", "given"]


async def test_a_yes_is_as_easy(there: World) -> None:
    """One call gives consent anew after a withdrawal: explicit, under the notice that was read."""
    await withdrawn(there)
    answer = await there.post("subject", "/v1/me/consents", YES)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert (given["action"], given["explicit"], given["notice_version"]) == ("given", True, "3")
    assert given == (await mine(there))["items"][-1]
    assert (await mine(there))["standing"][0]["reason"] != "withdrawn"


async def test_the_last_word_counts_where_a_clock_was_put_back(here: World) -> None:
    """A withdrawal never lies before what it ends, whatever the clock says."""
    from datetime import timedelta

    from sharing.records import consents
    from sharing.records.tables import now

    ahead = now() + timedelta(hours=1)
    row = {
        **MATTER, "subject": "s0", "action": "given", "explicit": True, "notice": "privacy",
        "notice_version": "3", "at": ahead, "source": "test",
    }  # fmt: skip
    await here.database.write(lambda unit: consents.append(unit, [row]))
    await withdrawn(here)
    assert (await mine(here))["items"][-1]["action"] == "withdrawn"
    assert {s["reason"] for s in (await mine(here))["standing"]} == {"withdrawn"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"notice": "absent"}, "notice"),
        ({"version": "9"}, "notice"),
        ({"purpose": "dpv:Marketing"}, "purpose"),
        ({"category": "pd:Location"}, "purpose"),
        ({"recipient": "ptr_0"}, "recipient"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
        ({"subject": "s1"}, "subject"),
    ],
)
async def test_a_yes_that_would_count_for_nothing_is_refused(
    here: World, change: dict[str, str], path: str
) -> None:
    """A yes under words that do not speak of it is refused by the field, and recorded nowhere."""
    answer = await here.post("subject", "/v1/me/consents", {**YES, **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == path
    assert len((await mine(here))["items"]) == 1


async def test_a_yes_to_replaced_words_is_refused(here: World) -> None:
    """Once a newer version is there, the older one cannot be said yes to any more."""
    newer = {"name": "privacy", "version": "4", "text": "New words.", **TERMS}
    await here.post("admin", "/v1/notices", newer)
    answer = await here.post("subject", "/v1/me/consents", YES)
    assert answer.json()["errors"][0]["path"] == "version"
    assert (await mine(here))["standing"][0]["reason"] == "old_notice"


async def test_a_subject_sees_nothing_of_others(here: World) -> None:
    """What one subject does is not shown to another, and changes nothing for it."""
    await withdrawn(here)
    told = await mine(here, "subject1")
    assert [e["action"] for e in told["items"]] == ["given"]
    assert "s0" not in str(told)
    positions = {e["position"] for e in (await mine(here))["items"]}
    assert not positions & {e["position"] for e in told["items"]}


async def test_pages_join_up(here: World) -> None:
    """Walking one's events one by one gives the same as asking for all at once."""
    await withdrawn(here)
    await here.post("subject", "/v1/me/consents", YES)
    seen: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        found = await mine(here, limit=1, **cursor)
        seen += found["items"]
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}
    assert seen == (await mine(here))["items"]
    assert len(seen) == 3


async def test_an_admin_lets_a_subject_in(there: World) -> None:
    """A token for a subject opens its own view; the log names its holder by no name."""
    answer = await there.post("admin", "/v1/tokens", {"subject": "s2", "role": "subject"})
    assert answer.status_code == 201, answer.text
    there.tokens["new"] = answer.json()["token"]
    assert (await there.get("new", "/v1/me")).json()["subject"] == "s2"
    assert len((await mine(there, "new"))["items"]) == 1
    last = [e for e in await there.audit() if e["action"] == "token.issued"][-1]
    assert last["detail"] == {"holder": parties.subject_id("s2"), "role": "subject"}


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "s0", "role": "admin"},
        {"subject": "", "role": "subject"},
        {"role": "subject"},
        {"person": "admin@example.org", "role": "subject"},
        {"person": "admin@example.org", "subject": "s0", "role": "subject"},
    ],
)
async def test_a_subjects_token_is_a_subjects_and_no_more(
    shared: World, body: dict[str, str]
) -> None:
    """The role subject goes with a subject, and with nobody else."""
    answer = await shared.post("admin", "/v1/tokens", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")


async def test_what_a_subject_did_is_in_the_log_without_its_name(here: World) -> None:
    """Yes and no are logged with their position, by an actor whose name is not told."""
    [ended] = await withdrawn(here)
    last = (await here.audit())[-1]
    assert (last["action"], last["actor"]) == ("consent.withdrawn", parties.subject_id("s0"))
    assert last["detail"] == {"events": 1, "position": ended["position"]}
