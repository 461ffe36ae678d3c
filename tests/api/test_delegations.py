"""Delegations over HTTP: by oneself or an admin, for days; and what the two may do then."""

from datetime import timedelta
from typing import Any

import pytest

from sharing.records import parties
from sharing.records.tables import now
from sharing.stages import Role
from tests.api.world import World

REVIEWER = Role.PURPOSE_REVIEWER


def body(**changes: Any) -> dict[str, Any]:
    """A reviewer's delegation to the auditor, until tomorrow."""
    until = (now() + timedelta(days=1)).date().isoformat()
    return {"to": "", "role": REVIEWER, "until": until, "reason": "On leave.", **changes}


async def test_delegated_used_and_taken_back(there: World) -> None:
    """A reviewer hands the role over; with a token of its own the deputy decides; taken back, the
    token is none any more, and the list shows all of it."""
    deputy = there.people["auditor"]
    made = await there.post(REVIEWER, "/v1/delegations", body(to=deputy))
    assert made.status_code == 201, made.text
    view = await there.submitted()
    people = (await there.seen(view))["waiting_for"]["people"]
    assert set(people) == {there.people[REVIEWER], deputy}
    token = await there.post("admin", "/v1/tokens", {"person": deputy, "role": REVIEWER})
    there.tokens["deputy"] = token.json()["token"]
    assert (await there.decide(view, "purpose_review", who="deputy")).status_code == 201
    taken = (await there.seen(view))["stages"][0]["decisions"][0]
    assert (taken["actor"], taken["delegated_by"]) == (deputy, there.people[REVIEWER])
    revoked = await there.post(REVIEWER, f"/v1/delegations/{made.json()['id']}/revoke", {})
    assert revoked.status_code == 201, revoked.text
    assert revoked.json()["ended_at"] is not None
    there.app.state.backend.doorkeeper.forget()
    assert (await there.get("deputy", "/v1/me")).status_code == 401
    listed = (await there.get("auditor", "/v1/delegations")).json()["items"]
    assert [one["id"] for one in listed] == [made.json()["id"]]


async def test_an_admin_delegates_for_somebody(here: World) -> None:
    """Somebody who is ill already has it done by an admin."""
    given = body(to=here.people["auditor"], person=here.people[REVIEWER])
    made = await here.post("admin", "/v1/delegations", given)
    assert made.json()["person"] == here.people[REVIEWER]


@pytest.mark.parametrize(
    ("who", "changes", "expected"),
    [
        (REVIEWER, {"to": "nobody@example.org"}, (422, "to")),
        (REVIEWER, {"role": "engineer"}, (403, "")),
        (REVIEWER, {"person": "nobody@example.org"}, (422, "person")),
        (REVIEWER, {"until": "2020-01-01"}, (422, "until")),
        (REVIEWER, {"from": "2999-01-02", "until": "2999-01-01"}, (422, "until")),
        (REVIEWER, {"until": "tomorrow"}, (422, "until")),
        (REVIEWER, {"reason": ""}, (422, "reason")),
        ("admin", {"role": "engineer"}, (422, "role")),
        ("auditor", {}, (403, "")),
    ],
)
async def test_what_is_refused(
    here: World, who: str, changes: dict[str, str], expected: tuple[int, str]
) -> None:
    """Each mistake is refused by its field, and nothing is made."""
    given = body(**{"to": here.people["auditor"], **changes})
    answer = await here.post(who, "/v1/delegations", given)
    told = answer.json()
    path = told["errors"][0]["path"] if told.get("errors") else ""
    assert (answer.status_code, path) == expected, answer.text
    assert (await here.get("auditor", "/v1/delegations")).json()["items"] == []


async def test_only_ones_own(here: World) -> None:
    """Nobody but an admin delegates another's role, or takes back what is not about them."""
    others = body(to=here.people["auditor"], person=here.people[REVIEWER])
    foreign = await here.post(Role.LEGAL_COUNSEL, "/v1/delegations", others)
    assert foreign.json()["code"] == "forbidden"
    made = await here.post(REVIEWER, "/v1/delegations", body(to=here.people["auditor"]))
    path = f"/v1/delegations/{made.json()['id']}/revoke"
    assert (await here.post(Role.LEGAL_COUNSEL, path, {})).json()["code"] == "forbidden"
    assert (await here.post("admin", path, {})).status_code == 201


async def test_the_circle_is_named(here: World) -> None:
    """A deputy who hands the role back is told the way that it would go."""
    boss, deputy = here.people[REVIEWER], here.people["auditor"]
    await here.post(REVIEWER, "/v1/delegations", body(to=deputy))
    token = await here.database.write(
        lambda u: parties.issue_token(u.session, REVIEWER, person_id=deputy)
    )
    here.tokens["deputy"] = token
    back = await here.post("deputy", "/v1/delegations", body(to=boss))
    assert (back.status_code, back.json()["code"]) == (409, "delegation_chain")
    assert f"{boss} > {deputy} > {boss} would be a circle" in back.json()["detail"]
