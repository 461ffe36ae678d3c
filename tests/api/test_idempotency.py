"""Idempotency keys: the same key and body, one effect and one answer (I16)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.bodies import CONSENT, DATASET, NOTICE
from tests.api.world import World, request_body

INTEREST = {
    "person": "engineer@example.org",
    "organisation": {"name": "Elsewhere"},
    "kind": "gift",
    "from": "2020-01-01",
    "detail": "A pen.",
}
# who, where, a body, the same said differently enough to be another body
CREATED: list[tuple[str, str, Any, Any]] = [
    ("admin", "/v1/partners", {"name": "P"}, {"name": "Q"}),
    (
        "admin",
        "/v1/people",
        {"name": "P", "email": "p@x.org", "roles": []},
        {"name": "P", "email": "q@x.org", "roles": []},
    ),
    (
        "admin",
        "/v1/tokens",
        {"person": "engineer@example.org", "role": "engineer"},
        {"person": "auditor@example.org", "role": "auditor"},
    ),
    ("admin", "/v1/datasets", DATASET, {**DATASET, "name": "e"}),
    ("admin", "/v1/notices", NOTICE, {**NOTICE, "version": "2"}),
    ("consent_steward", "/v1/consents", [CONSENT], [CONSENT, CONSENT]),
    ("conflict_officer", "/v1/interests", INTEREST, {**INTEREST, "detail": "Two pens."}),
    ("partner", "/v1/requests", request_body(), request_body(title="Another")),
]
IDS = [path for _, path, _, _ in CREATED]
TABLES = (
    "partner",
    "person",
    "token",
    "dataset",
    "notice",
    "consent_event",
    "interest",
    "request",
    "revision",
    "decision",
    "export",
    "audit_entry",
    "event",
)


async def counted(world: World) -> dict[str, int]:
    """Rows by table."""

    def query(session: Any) -> dict[str, int]:
        return {t: session.execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in TABLES}

    return await world.database.read(query)


@pytest.mark.parametrize(("who", "path", "body", "_other"), CREATED, ids=IDS)
async def test_a_key_has_one_effect(
    there: World, who: str, path: str, body: Any, _other: Any
) -> None:
    """The same key and body gives the same answer again, says so, and changes nothing more."""
    first = await there.post(who, path, body, key="k-1")
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers
    before = await counted(there)
    again = await there.post(who, path, body, key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert await counted(there) == before


@pytest.mark.parametrize(("who", "path", "body", "other"), CREATED, ids=IDS)
async def test_a_key_is_for_one_body(
    here: World, who: str, path: str, body: Any, other: Any
) -> None:
    """The same key with another body is 422 idempotency_mismatch, in the log, and no effect."""
    await here.post(who, path, body, key="k-1")
    before = await counted(here)
    answer = await here.post(who, path, other, key="k-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert await counted(here) == {**before, "audit_entry": before["audit_entry"] + 1}


@pytest.mark.parametrize(("who", "path", "body", "_other"), CREATED, ids=IDS)
async def test_a_hundred_at_once_have_one_effect(
    there: World, who: str, path: str, body: Any, _other: Any
) -> None:
    """Of 100 identical calls at once, one takes effect and all get its answer."""
    before = await counted(there)
    answers = await asyncio.gather(*(there.post(who, path, body, key="k-1") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    after = await counted(there)
    changed = {
        table: after[table] - before[table] for table in TABLES if after[table] != before[table]
    }
    once = {"partner": 1, "person": 1, "token": 1, "dataset": 1, "notice": 1, "interest": 1}
    own = {table: n for table, n in changed.items() if table not in ("audit_entry", "event")}
    assert all(n == 1 for n in own.values()), changed
    assert own, changed
    assert set(own) <= {*once, "consent_event", "request", "revision"}


async def test_the_same_json_in_other_words_is_the_same_body(here: World) -> None:
    """White space and the order of names do not make another body."""
    headers = {"Content-Type": "application/json"}
    first, again = [
        await here.call("admin", "POST", "/v1/partners", content=body, headers=headers, key="k")
        for body in (b'{"name":"P","parents":[]}', b'{ "parents": [], "name": "P" }')
    ]
    assert first.json() == again.json()


async def test_a_key_belongs_to_its_client(here: World) -> None:
    """Two callers may use the same key for different things."""
    first = await here.post("partner", "/v1/requests", request_body(), key="k")
    second = await here.post("other", "/v1/requests", request_body(title="Other"), key="k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_a_key_belongs_to_its_address(here: World) -> None:
    """The same key at another address is a mismatch, not the other address's answer."""
    await here.post("admin", "/v1/partners", {"name": "P"}, key="k")
    answer = await here.post("admin", "/v1/people", {"name": "P"}, key="k")
    assert answer.status_code == 422


@pytest.mark.parametrize("key", ["x" * 256, "tab\there", "caf\u00e9".encode()])
async def test_a_key_that_is_none_is_refused(here: World, key: Any) -> None:
    """A key that is too long or not printable is refused by its name."""
    headers = {"Idempotency-Key": key}
    answer = await here.call("admin", "POST", "/v1/partners", {"name": "P"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "Idempotency-Key"


async def test_acts_on_a_request_happen_once_for_a_key(there: World) -> None:
    """A decision, a revision and a trigger that are sent again give the same answer again."""
    view = await there.submitted()
    path = f"/v1/requests/{view['id']}"
    change = {"title": "Changed"}
    first = await there.post("partner", f"{path}/revisions", change, key="r")
    assert (await there.post("partner", f"{path}/revisions", change, key="r")).text == first.text
    digest = first.json()["digest"]
    for role, stage in [
        ("purpose_reviewer", "purpose_review"),
        ("consent_steward", "consent_verification"),
        ("conflict_officer", "conflict_signoff"),
        ("legal_counsel", "legal_approval"),
    ]:
        body = {"stage": stage, "outcome": "approved", "digest": digest, "reason": "Yes."}
        body["no_interest"] = True
        one = await there.post(role, f"{path}/decisions", body, key=stage)
        two = await there.post(role, f"{path}/decisions", body, key=stage)
        assert one.status_code == two.status_code == 201, two.text
        assert one.text == two.text
    triggers = await asyncio.gather(
        *(there.post("engineer", f"{path}/exports", {"digest": digest}, key="t") for _ in range(20))
    )
    assert {answer.status_code for answer in triggers} == {202}
    assert len({answer.text for answer in triggers}) == 1
    rows = await counted(there)
    assert (rows["revision"], rows["decision"], rows["export"]) == (2, 4, 1)


async def test_an_act_whose_answer_was_lost_is_found_again(here: World) -> None:
    """Where the API died between a decision and keeping its answer, the key finds the decision."""
    view = await here.submitted()
    path = f"/v1/requests/{view['id']}/decisions"
    body = {
        "stage": "purpose_review",
        "outcome": "approved",
        "digest": view["digest"],
        "reason": "Yes.",
        "no_interest": True,
    }
    first = await here.post("purpose_reviewer", path, body, key="d")
    await here.database.write(
        lambda unit: unit.session.execute(text("DELETE FROM idempotency_key"))
    )
    again = await here.post("purpose_reviewer", path, body, key="d")
    assert again.status_code == 201
    assert again.json()["decision"] == first.json()["decision"]
    assert (await counted(here))["decision"] == 1


async def test_a_submission_whose_answer_was_lost_is_found_again(here: World) -> None:
    """Where the answer to a submission was lost, the same key gives the same request."""
    first = await here.post("partner", "/v1/requests", request_body(), key="s")
    await here.database.write(
        lambda unit: unit.session.execute(
            text("""UPDATE idempotency_key SET response = '{"id": "x"}'""")
        )
    )
    again = await here.post("partner", "/v1/requests", request_body(), key="s")
    assert again.json()["id"] == first.json()["id"]
    assert (await counted(here))["request"] == 1
