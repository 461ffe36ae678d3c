"""Decisions: by the right person, once, on what stands now; every refusal names its reason."""

from typing import Any

import pytest
from sqlmodel import col, update

from sharing.records.parties import Person
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.stages import GATES, Role
from tests.api.world import World, request_body

DIGEST = "0" * 64


async def refused(world: World, answer: Any, status: int, code: str, why: str = "") -> None:
    """The answer is that refusal, and the attempt is the last entry of the audit log."""
    told = answer.json()
    assert (answer.status_code, told["code"], told.get("why", "")) == (status, code, why)
    last = (await world.audit())[-1]
    assert last["action"].startswith("refused.")
    assert last["detail"]["code"] == code
    assert last["detail"].get("why", "") == why


async def test_a_later_gate_does_not_take_decisions_yet(here: World) -> None:
    """A decision at a gate that the request has not come to is refused as wrong_stage."""
    view = await here.submitted()
    await refused(here, await here.decide(view, "legal_approval"), 409, "wrong_stage")


async def test_a_decision_names_the_digest_that_stands(here: World) -> None:
    """A decision on another digest than the current one is refused as stale_digest (F5)."""
    view = await here.submitted()
    answer = await here.decide({**view, "digest": DIGEST}, "purpose_review")
    await refused(here, answer, 409, "stale_digest")


async def test_a_changed_scope_voids_what_was_decided(there: World) -> None:
    """After a revision the gates begin again, and earlier decisions stay readable as void (F15)."""
    view = await there.submitted()
    assert (await there.decide(view, "purpose_review")).status_code == 201
    path = f"/v1/requests/{view['id']}/revisions"
    change = {"scope": {"limit": 5}}
    changed = (await there.post("partner", path, change)).json()
    assert changed["revision"] == 2
    assert changed["digest"] != view["digest"]
    assert changed["scope"] == {"fields": ["photo"], "where": {}, "limit": 5}
    assert changed["title"] == view["title"]
    seen = await there.seen(view, "purpose_review")
    assert [d["void"] for d in seen["stages"][0]["decisions"]] == [True]
    assert seen["stages"][0]["outcome"] is None
    await refused(there, await there.decide(view, "purpose_review"), 409, "stale_digest")
    assert (await there.decide(changed, "purpose_review")).status_code == 201


async def test_a_person_decides_once_at_a_gate(here: World) -> None:
    """The same person at the same gate again is refused as already_decided."""
    view = await here.submitted()
    assert (await here.decide(view, "purpose_review")).status_code == 201
    await refused(here, await here.decide(view, "purpose_review"), 409, "already_decided")


async def test_a_deadline_that_passed_takes_no_decision(here: World) -> None:
    """A decision after the gate's deadline is refused as too_late (F13)."""
    view = await here.submitted()
    await here.database.write(
        lambda unit: unit.session.execute(
            update(Gate).where(col(Gate.request_id) == view["id"]).values(until=now())
        )
    )
    await refused(here, await here.decide(view, "purpose_review"), 409, "too_late")


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.PURPOSE_REVIEWER])
async def test_only_the_gates_own_role_decides(here: World, role: Role) -> None:
    """A token for any other role is refused as not_eligible, because of the role."""
    view = await here.submitted()
    answer = await here.decide(view, "purpose_review", who=role)
    await refused(here, answer, 403, "not_eligible", "role")


async def test_nobody_decides_twice_on_one_request(here: World) -> None:
    """Whoever decided at one gate is refused at the next, with another role of theirs too (I2)."""
    view = await here.submitted()
    await give(here, "purpose_reviewer", Role.CONSENT_STEWARD)
    assert (await here.decide(view, "purpose_review")).status_code == 201
    answer = await here.decide(view, "consent_verification", who="second")
    await refused(here, answer, 403, "not_eligible", "same_person")


async def test_the_sponsor_never_decides(here: World) -> None:
    """The person inside who wants the sharing is refused at every gate (I3)."""
    view = await here.submitted(sponsor="Purpose_Reviewer@Example.org")
    answer = await here.decide(view, "purpose_review")
    await refused(here, answer, 403, "not_eligible", "sponsor")


async def test_a_partner_does_not_learn_who_works_here(here: World) -> None:
    """A sponsor's address is shown as the partner wrote it, whether or not anybody has it."""
    for address in ("purpose_reviewer@example.org", "nobody.at.all@example.org"):
        assert (await here.submitted(sponsor=address))["sponsor"] == address


async def test_people_of_a_partner_never_decide(here: World) -> None:
    """A person who works for a partner is refused, whatever role they hold (I3)."""
    view = await here.submitted()
    await here.database.write(
        lambda unit: unit.session.execute(
            update(Person)
            .where(col(Person.id) == here.people["purpose_reviewer"])
            .values(partner_id=here.other)
        )
    )
    answer = await here.decide(view, "purpose_review")
    await refused(here, answer, 403, "not_eligible", "partner_staff")


async def test_a_refusal_ends_the_request(here: World) -> None:
    """One refusal blocks: nothing waits any more, and its reason stays readable."""
    view = await here.submitted()
    assert (await here.decide(view, "purpose_review", "refused")).status_code == 201
    seen = await here.seen(view, "refused")
    assert seen["waiting_for"] is None
    assert seen["stages"][0]["decisions"][0]["reason"] == "It holds."
    answer = await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    await refused(here, answer, 409, "wrong_state")


async def test_a_returned_request_waits_for_its_partner(here: World) -> None:
    """A returned request names the partner as the one it waits for, and goes on when changed."""
    view = await here.submitted()
    answer = await here.decide(view, "purpose_review", "returned", conditions="Say for how long.")
    assert answer.status_code == 201
    seen = await here.seen(view, "returned")
    assert seen["waiting_for"]["roles"] == ["partner"]
    assert seen["waiting_for"]["stage"] == "purpose_review"
    assert seen["waiting_for"]["until"]
    path = f"/v1/requests/{view['id']}/revisions"
    assert (await here.post("partner", path, {"retention_days": 30})).status_code == 201
    await here.seen(view, "purpose_review")


async def test_a_withdrawn_request_keeps_its_decisions(here: World) -> None:
    """Decisions stay readable after the partner withdraws (F6)."""
    view = await here.submitted()
    await here.decide(view, "purpose_review")
    answer = await here.post("partner", f"/v1/requests/{view['id']}/withdraw")
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    assert len((await here.seen(view, "withdrawn"))["stages"][0]["decisions"]) == 1
    path = f"/v1/requests/{view['id']}/revisions"
    await refused(here, await here.post("partner", path, {"title": "T"}), 409, "wrong_state")


async def test_a_dataset_without_an_index_cannot_be_asked_for(here: World) -> None:
    """A request for a dataset that was never scanned is refused with the cure."""
    body = {
        "name": "unseen",
        "location": "unseen",
        "category": "pd:Picture",
        "special_category": False,
        "subject_from": "path:{subject}/*",
    }
    assert (await here.post("admin", "/v1/datasets", body)).status_code == 201
    answer = await here.post("partner", "/v1/requests", request_body(dataset="unseen"))
    await refused(here, answer, 409, "not_indexed")
    assert "/v1/datasets/unseen/index" in answer.json()["detail"]


async def test_what_waits_for_me_is_what_i_may_do(here: World) -> None:
    """Reviews name a request to whoever may decide now: not to others, the recused or deciders."""
    view = await here.submitted()
    assert [r["request"] for r in await reviews(here, "purpose_reviewer")] == [view["id"]]
    assert await reviews(here, "consent_steward") == []
    for stage in GATES:
        await here.decide(view, stage)
    assert await reviews(here, "legal_counsel") == []
    assert [r["act"] for r in await reviews(here, "engineer")] == ["trigger"]


async def test_the_engine_away_is_said_and_changes_nothing(here: World) -> None:
    """While the engine cannot be reached a submission is 503, and no request exists."""
    here.engine.away = True
    answer = await here.post("partner", "/v1/requests", request_body())
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unreachable")
    assert "may still be done" in answer.json()["detail"]
    assert (await here.get("", "/readyz")).status_code == 503
    assert (await here.get("", "/healthz")).status_code == 200
    assert (await here.get("partner", "/v1/requests")).json()["items"] == []


async def test_pages_of_requests_join_up(there: World) -> None:
    """Walking a list by its cursors gives each request once, newest first."""
    made = [(await there.submitted(title=f"R{i}"))["id"] for i in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        found = (await there.get("partner", "/v1/requests", **query)).json()
        seen += [one["id"] for one in found["items"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    closed = await there.get("auditor", "/v1/requests", state="refused")
    assert closed.json()["items"] == []


async def reviews(world: World, who: str) -> list[dict[str, Any]]:
    """What waits for somebody."""
    found: list[dict[str, Any]] = (await world.get(who, "/v1/reviews")).json()["items"]
    return found


async def give(world: World, who: str, role: Role) -> None:
    """A second role for a person, with a token for it under the name `second`."""
    from sharing.records import parties

    def work(unit: Any) -> str:
        parties.grant_roles(unit.session, world.people[who], [role])
        return parties.issue_token(unit.session, role, person_id=world.people[who])

    world.tokens["second"] = await world.database.write(work)


async def test_a_request_row_agrees_with_its_view(here: World) -> None:
    """What the view says a request waits for is what its row says."""
    view = await here.submitted()
    row = await here.database.read(lambda session: session.get_one(Request, view["id"]))
    seen = await here.seen(view)
    assert seen["waiting_for"]["stage"] == row.waiting_stage
    assert seen["waiting_for"]["people"] == [here.people["purpose_reviewer"]]
