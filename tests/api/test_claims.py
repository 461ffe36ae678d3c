"""Claims and assignments: seen by others, first in my list, and in nobody's way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sharing.records import claims, parties
from sharing.stages import Role
from tests.api.world import World

REVIEW = "purpose_review"
STAGE = {"stage": REVIEW}


async def second_reviewer(there: World) -> str:
    """Another reviewer, with a token under `reviewer2`."""

    def work(unit: Any) -> tuple[str, str]:
        person = parties.add_person(
            unit.session, "Second", "second@example.org", [Role.PURPOSE_REVIEWER]
        )
        token = parties.issue_token(unit.session, Role.PURPOSE_REVIEWER, person_id=person.id)
        return person.id, token

    person, there.tokens["reviewer2"] = await there.database.write(work)
    return person


async def test_a_claim_is_seen_and_in_nobodys_way(there: World) -> None:
    """A claimed gate shows by whom and until when; nobody else can claim it, and anybody who may
    decide still does."""
    await second_reviewer(there)
    view = await there.submitted()
    path = f"/v1/requests/{view['id']}"
    claimed = await there.post(Role.PURPOSE_REVIEWER, f"{path}/claim", STAGE)
    assert claimed.status_code == 201, claimed.text
    waits = (await there.seen(view))["waiting_for"]
    me = there.people[Role.PURPOSE_REVIEWER]
    assert (waits["claimed_by"], waits["assigned_by"]) == (me, None)
    assert waits["claimed_until"] == claimed.json()["until"]
    partners = (await there.get("partner", path)).json()
    assert "claimed_by" not in partners["waiting_for"]
    assert not [e for e in partners["timeline"] if e["type"] == "gate.claimed"]
    second = await there.post("reviewer2", f"{path}/claim", STAGE)
    assert (second.status_code, second.json()["code"]) == (409, "claimed")
    assert (await there.decide(view, REVIEW, who="reviewer2")).status_code == 201


async def test_mine_come_first(there: World) -> None:
    """In the list of what waits for me, what I have in hand is first and what others have last."""
    await second_reviewer(there)
    views = [await there.submitted() for _ in range(3)]
    ids = sorted(view["id"] for view in views)
    await there.post("reviewer2", f"/v1/requests/{ids[0]}/claim", STAGE)
    await there.post(Role.PURPOSE_REVIEWER, f"/v1/requests/{ids[2]}/claim", STAGE)
    listed = (await there.get(Role.PURPOSE_REVIEWER, "/v1/reviews")).json()["items"]
    assert [one["request"] for one in listed] == [ids[2], ids[1], ids[0]]
    assert listed[0]["claimed_by"] == there.people[Role.PURPOSE_REVIEWER]


async def test_an_assignment_takes_over(there: World) -> None:
    """An admin gives a claimed gate to somebody else, who may give it back; the log has it all."""
    second = await second_reviewer(there)
    view = await there.submitted()
    path = f"/v1/requests/{view['id']}"
    await there.post(Role.PURPOSE_REVIEWER, f"{path}/claim", STAGE)
    given = await there.post("admin", f"{path}/assign", {**STAGE, "person": "second@example.org"})
    assert given.status_code == 201, given.text
    waits = (await there.seen(view))["waiting_for"]
    assert (waits["claimed_by"], waits["assigned_by"]) == (second, there.people["admin"])
    assert waits["claimed_until"] is None
    foreign = await there.post(Role.PURPOSE_REVIEWER, f"{path}/release-claim", STAGE)
    assert foreign.json()["code"] == "forbidden"
    assert (await there.post("reviewer2", f"{path}/release-claim", STAGE)).status_code == 201
    assert (await there.seen(view))["waiting_for"]["claimed_by"] is None
    again = await there.post("reviewer2", f"{path}/release-claim", STAGE)
    assert again.json()["code"] == "wrong_state"
    log = [e["action"] for e in await there.audit() if e["action"].startswith("gate.")]
    assert log[-3:] == ["gate.claimed", "gate.assigned", "gate.claim_released"]


@pytest.mark.parametrize(
    ("who", "act", "body", "expected"),
    [
        (Role.CONSENT_STEWARD, "claim", STAGE, (403, "not_eligible")),
        (Role.CONSENT_STEWARD, "assign", {**STAGE, "person": "x@y"}, (403, "not_eligible")),
        (Role.CONSENT_STEWARD, "claim", {"stage": "legal_approval"}, (409, "wrong_stage")),
        ("admin", "assign", {**STAGE, "person": "nobody@example.org"}, (422, "invalid_body")),
        (Role.PURPOSE_REVIEWER, "claim", {"stage": "export"}, (422, "invalid_body")),
        ("engineer", "claim", STAGE, (403, "forbidden")),
    ],
)
async def test_who_may_not(
    here: World, who: str, act: str, body: dict[str, str], expected: tuple[int, str]
) -> None:
    """Who could not decide there claims nothing, and only who is known is given anything."""
    view = await here.submitted()
    answer = await here.post(who, f"/v1/requests/{view['id']}/{act}", body)
    assert (answer.status_code, answer.json()["code"]) == expected, answer.text


async def test_nothing_is_given_to_who_may_not_decide(here: World) -> None:
    """A gate is assigned only to somebody whom the eligibility rule lets decide there."""
    view = await here.submitted()
    engineer = here.people["engineer"]
    answer = await here.post(
        "admin", f"/v1/requests/{view['id']}/assign", {**STAGE, "person": engineer}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "person"


async def test_a_claim_lapses(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim is good for two working days: then the next one may have it."""
    second = await second_reviewer(here)
    view = await here.submitted()
    path = f"/v1/requests/{view['id']}/claim"
    until = (await here.post(Role.PURPOSE_REVIEWER, path, STAGE)).json()["until"]
    later = datetime.fromisoformat(until).astimezone(UTC)
    monkeypatch.setattr(claims, "now", lambda: later)
    taken = await here.post("reviewer2", path, STAGE)
    assert (taken.status_code, taken.json()["person"]) == (201, second)


async def test_a_revision_ends_claims(here: World) -> None:
    """What was in hand was the earlier scope: the new one is in nobody's."""
    view = await here.submitted()
    await here.post(Role.PURPOSE_REVIEWER, f"/v1/requests/{view['id']}/claim", STAGE)
    await here.post("partner", f"/v1/requests/{view['id']}/revisions", {"retention_days": 9})
    assert (await here.seen(view))["waiting_for"]["claimed_by"] is None
