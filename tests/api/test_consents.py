"""Consents over HTTP: good lines are kept, bad ones are refused by number and reason."""

import json
from typing import Any

import pytest

from sharing.consent import Action
from tests.api.bodies import CONSENT
from tests.api.world import World

BAD: list[tuple[dict[str, Any], str]] = [
    ({"purpose": "ai:Fun"}, "purpose"),
    ({"category": "pd:Shoe"}, "category"),
    ({"recipient": "ptr_0"}, "recipient"),
    ({"action": "maybe"}, "action"),
    ({"explicit": "yes"}, "explicit"),
    ({"explicit": 1}, "explicit"),
    ({"notice": "unheard"}, "notice"),
    ({"notice_version": "99"}, "notice"),
    ({"at": "2024-01-01T00:00:00"}, "at"),
    ({"at": "yesterday"}, "at"),
    ({"at": 1700000000}, "at"),
    ({"at": "2999-01-01T00:00:00Z"}, "at"),
    ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
    ({"valid_until": "9999-12-31T23:59:59-14:00"}, "valid_until"),
    ({"valid_until": "2023-01-01T00:00:00Z"}, "valid_until"),
    ({"subject": ""}, "subject"),
    ({"subject": "a\nb"}, "subject"),
    ({"subject": "a\x00b"}, "subject"),
    ({"subject": 9}, "subject"),
    ({"source": None}, "source"),
    ({"source": "feed:cmp.example/feed"}, "source: names that begin with 'feed:'"),
    ({"colour": 1}, "colour"),
    ({"jurisdiction": "Bavaria"}, "jurisdiction"),
    ({"lawful_basis": "gdpr:A6-1-f"}, "lawful_basis: this ledger keeps consents only"),
    ({"method": "fax"}, "method"),
    ({"minor": "no"}, "minor"),
    ({"source_id": ""}, "source_id"),
    ({"evidence": "a\nb"}, "evidence"),
    ({"recipent": "*"}, "recipent: is not known. Did you mean 'recipient'?"),
]


async def sent(world: World, lines: list[str]) -> Any:
    """The answer to NDJSON lines."""
    headers = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    answer = await world.call(
        "consent_steward", "POST", "/v1/consents", content="\n".join(lines), headers=headers
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_bad_lines_do_not_hinder_good_ones(there: World) -> None:
    """Of lines with bad ones among them the good are kept, in one transaction, in their order."""
    before = (await sent(there, []))["position"]
    lines = [json.dumps(CONSENT), "{bad", json.dumps({**CONSENT, "subject": "s10"}), "", "[]", "7"]
    told = await sent(there, lines)
    assert told["accepted"] == 2
    assert [one["line"] for one in told["refused"]] == [2, 5, 6]
    assert told["position"] == before + 2
    appended = [e for e in await there.audit() if e["action"] == "consents.appended"]
    assert appended[-1]["detail"] == {
        "accepted": 2, "known": 0, "refused": 3, "position": before + 2,
    }  # fmt: skip


@pytest.mark.parametrize(("change", "word"), BAD, ids=[json.dumps(c) for c, _ in BAD])
async def test_a_bad_line_says_what_is_wrong(
    shared: World, change: dict[str, Any], word: str
) -> None:
    """A line with one bad field is refused with that field's name, in either form of body."""
    line = {**CONSENT, **change}
    told = await sent(shared, [json.dumps(line)])
    listed = (await shared.post("admin", "/v1/consents", [CONSENT, line])).json()
    assert (told["accepted"], listed["accepted"]) == (0, 1)
    assert (told["refused"][0]["line"], listed["refused"][0]["line"]) == (1, 2)
    assert told["refused"][0]["reason"] == listed["refused"][0]["reason"]
    assert told["refused"][0]["reason"].startswith(word)


async def test_a_withdrawal_is_an_event_like_any_other(there: World) -> None:
    """A withdrawal for one partner only, with a time zone and an end, is accepted."""
    line = {
        **CONSENT,
        "recipient": there.partner,
        "action": "withdrawn",
        "at": "2024-06-01T12:00:00+02:00",
        "valid_until": "2030-01-01T00:00:00Z",
        "jurisdiction": "DE",
    }
    assert (await sent(there, [json.dumps(line)]))["accepted"] == 1


@pytest.mark.parametrize("action", list(Action))
async def test_what_a_consent_can_say(shared: World, action: str) -> None:
    """Every action is taken, with all that may be said beside it; a no also before any yes."""
    line = {
        **CONSENT,
        "subject": f"never seen {action}",
        "action": action,
        "jurisdiction": "US-IL",
        "controller": "Clearance Ltd",
        "lawful_basis": "gdpr:A9-2-a",
        "method": "written_release",
        "minor": False,
        "source_id": action,
        "evidence": "vault/2024/17",
    }
    told = await sent(shared, [json.dumps(line)])
    assert (told["accepted"], told["refused"]) == (1, [])


async def test_a_class_of_recipients_is_taken(there: World) -> None:
    """A subject may say yes or no to a whole class of recipients, by its term."""
    line = json.dumps({**CONSENT, "recipient": "dpv:AcademicScientificOrganisation"})
    assert (await sent(there, [line]))["refused"] == []


async def test_what_a_source_sent_before(there: World) -> None:
    """The same source_id again is known where it says the same, and a refused line where not."""
    first, other = {**CONSENT, "source_id": "1"}, {**CONSENT, "source_id": "1", "explicit": False}
    before = (await sent(there, [json.dumps(first)]))["position"]
    lines = [
        "{bad",
        json.dumps(first),
        json.dumps(other),
        json.dumps({**CONSENT, "source_id": "2"}),
    ]
    for accepted, known in ((1, 1), (0, 2)):
        told = await sent(there, lines)
        assert (told["accepted"], told["known"]) == (accepted, known)
        assert told["position"] == before + 1
        assert [one["line"] for one in told["refused"]] == [1, 3]
        assert told["refused"][1]["reason"] == (
            f"source_id: was used before for something else, at position {before}."
        )


async def test_a_bad_line_is_told_in_our_words(shared: World) -> None:
    """What is missing, of the wrong kind or without a time zone is told as everywhere else."""
    whole = json.dumps(CONSENT)
    lines = [
        json.dumps({name: value for name, value in CONSENT.items() if name != "subject"}),
        json.dumps({**CONSENT, "at": "2020-01-01T00:00:00"}),
        json.dumps({**CONSENT, "subject": 9}),
        whole[:-1],
        "7",
    ]
    reasons = [one["reason"] for one in (await sent(shared, lines))["refused"]]
    assert reasons[:3] == [
        "subject: is required.",
        "at: must have a time zone, as in 2024-05-31T12:00:00Z.",
        "subject: must be text.",
    ]
    assert reasons[3].startswith("line: ")
    assert reasons[4] == "line: must be a JSON object."


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{}", "application/json", 422, "invalid_body"),
        (b"[", "application/json", 400, "invalid_json"),
        (b"a,b", "text/csv", 415, "unsupported_media_type"),
        (b"", "", 415, "unsupported_media_type"),
    ],
)
async def test_another_form_is_refused(
    shared: World, content: bytes, kind: str, status: int, code: str
) -> None:
    """A body that is neither a JSON list nor lines of JSON is refused as a whole."""
    answer = await shared.call(
        "admin", "POST", "/v1/consents", content=content, headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_many_lines_are_taken_at_once(here: World) -> None:
    """Twenty thousand lines, more than 1 MiB, go in with one call."""
    lines = [json.dumps({**CONSENT, "subject": f"m{i}"}) for i in range(20_000)]
    told = await sent(here, lines)
    assert (told["accepted"], told["refused"]) == (20_000, [])
