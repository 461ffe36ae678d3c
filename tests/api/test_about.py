"""What the API says about itself, its parties and its lists."""

from typing import Any

import pytest

from api.auth import ALLOWED
from tests.api.world import World

LISTS = [
    ("partners", "admin"),
    ("people", "auditor"),
    ("notices", "partner"),
    ("datasets", "partner"),
    ("audit", "auditor"),
]


async def test_the_first_start_makes_the_order_key_known(there: World) -> None:
    """The keys that sign orders and receipts are public, and their registration is logged first."""
    keys = (await there.get("", "/v1/keys")).json()["keys"]
    assert [key["purpose"] for key in keys] == ["order", "receipt"]
    assert keys[0]["key"] != keys[1]["key"]
    first = (await there.audit())[0]
    assert (first["action"], first["detail"]["key"]) == ("signing_key.registered", keys[0]["key"])


async def test_the_log_verifies_until_it_is_touched(there: World) -> None:
    """The log is told to be whole; after a change behind its back, which entry is not."""
    from sqlalchemy import text

    await there.post("engineer", "/v1/partners", {"name": "Mine"})
    told = (await there.get("auditor", "/v1/audit/verify")).json()
    assert told["ok"] is True
    assert told["entries"] == len(await there.audit())

    def forge(unit: Any) -> None:
        if unit.session.connection().dialect.name == "sqlite":
            found = unit.session.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t"),
                {"t": "audit_entry"},
            ).all()
            for (name,) in found:
                unit.session.execute(text(f"DROP TRIGGER {name}"))
        else:
            unit.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        unit.session.execute(text("UPDATE audit_entry SET actor = 'nobody' WHERE position = 1"))

    await there.database.write(forge)
    told = (await there.get("auditor", "/v1/audit/verify")).json()
    assert told == {"ok": False, "detail": "Entry 1 was changed."}


async def test_one_knows_who_one_is(here: World) -> None:
    """A person and a partner's client are told their id, name and role."""
    me = (await here.get("engineer", "/v1/me")).json()
    assert (me["id"], me["role"]) == (here.people["engineer"], "engineer")
    assert me["email"] == "engineer@example.org"
    partner = (await here.get("partner", "/v1/me")).json()
    assert (partner["partner"], partner["name"], partner["person"]) == (
        here.partner,
        "Acme Ltd",
        None,
    )


@pytest.mark.parametrize(("name", "who"), LISTS)
async def test_pages_of_every_list_join_up(here: World, name: str, who: str) -> None:
    """Walking a list one by one gives the same items as asking for all at once."""
    for i in range(2):
        body = {"version": str(i), "text": "t", "name": "privacy"}
        terms = {"purposes": ["ai:ModelTraining"], "categories": ["pd:Picture"]}
        await here.post("admin", "/v1/notices", {**body, **terms})
    whole = (await here.get(who, f"/v1/{name}", limit=200)).json()
    assert whole["next"] is None
    seen: list[Any] = []
    cursor = None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        found = (await here.get(who, f"/v1/{name}", **query)).json()
        seen += found["items"]
        if (cursor := found["next"]) is None:
            break
    assert seen == whole["items"]
    assert seen


async def test_a_partner_learns_what_to_ask_for_and_no_more(here: World) -> None:
    """A dataset's place and size are shown inside, not to partners."""
    path = "/v1/datasets/profile-photos"
    shown = (await here.get("partner", path)).json()
    assert not {"location", "subjects", "objects", "subject_from"} & set(shown)
    assert "location" not in (await here.get("legal_counsel", path)).json()
    assert (await here.get("engineer", path)).json()["location"] == "photos"
    assert (await here.get("partner", "/v1/datasets/absent")).status_code == 404


async def test_a_scan_is_ordered_by_name(here: World) -> None:
    """Indexing a dataset reaches the engine with its id, and is in the log."""
    answer = await here.post("admin", "/v1/datasets/profile-photos/index")
    assert (answer.status_code, here.engine.indexed) == (200, [here.dataset])
    assert (await here.audit())[-1]["action"] == "dataset.index_ordered"
    assert (await here.post("admin", "/v1/datasets/absent/index")).status_code == 404


async def test_what_exists_is_not_made_twice(here: World) -> None:
    """A second person with an e-mail address, or version of a notice, is refused as exists."""
    person = {"name": "E", "email": "Engineer@Example.org", "roles": []}
    notice = {"name": "privacy", "version": "3", "text": "t"}
    terms = {"purposes": ["ai:ModelTraining"], "categories": ["pd:Picture"]}
    for path, body in (("/v1/people", person), ("/v1/notices", {**notice, **terms})):
        answer = await here.post("admin", path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "exists")


async def test_a_token_works_and_is_stored_as_a_hash(there: World) -> None:
    """A new token opens the API for its holder, and its words are in no table."""
    from sqlalchemy import text

    body = {"person": "auditor@example.org", "role": "auditor"}
    token = (await there.post("admin", "/v1/tokens", body, key="t")).json()["token"]
    answer = await there.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["id"] == there.people["auditor"]
    rows = await there.database.read(
        lambda s: [
            str(tuple(row))
            for table in ("token", "idempotency_key", "audit_entry", "event")
            for row in s.execute(text(f"SELECT * FROM {table}"))
        ]
    )
    assert rows
    assert not [row for row in rows if token in row]


async def test_the_description_names_every_address(here: World) -> None:
    """The OpenAPI document holds every route, and the body of each that takes one."""
    from tests.api.test_permissions import routes

    told = (await here.get("", "/openapi.json")).json()
    for route in routes().values():
        path = route.path.replace(":path}", "}")
        for method in route.methods or ():
            assert method.lower() in told["paths"][path], path
            operation = told["paths"][path][method.lower()]
            assert operation["summary"] in operation["description"].replace("\n", " ")
            allowed = ALLOWED[route.name]
            assert operation.get("x-roles") == (sorted(allowed) if allowed else None)
            assert ("security" in operation) == (allowed is not None)
            assert "422" not in operation["responses"], "errors have one form only: 4XX"
    assert "bearer" in told["components"]["securitySchemes"]
    assert "requestBody" in told["paths"]["/v1/consents"]["post"]
    assert "requestBody" in told["paths"]["/v1/requests"]["post"]
