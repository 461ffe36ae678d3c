"""The audit log is searched, read from end to end, and taken away as a file."""

import csv
import io
import json

from sqlalchemy import text

from tests.api.world import World


async def actions(world: World, **query: object) -> list[str]:
    """The actions of the entries that fit."""
    answer = await world.get("auditor", "/v1/audit", **query)
    assert answer.status_code == 200, answer.text
    return [entry["action"] for entry in answer.json()["items"]]


async def worth_reading(world: World) -> str:
    """A log with a request, a person, and two refused attempts in it; the request's id."""
    view = await world.submitted()
    await world.post(
        "admin", "/v1/people", {"name": "N", "email": "newcomer@example.org", "roles": []}
    )
    await world.post("engineer", "/v1/partners", {"name": "Mine"})
    await world.post("engineer", f"/v1/requests/{view['id']}/withdraw")
    return str(view["id"])


async def test_each_filter_finds_what_it_says(there: World) -> None:
    """By actor, by an action or its first word, by whom it is about, and what was refused."""
    request = await worth_reading(there)
    me = there.people["engineer"]
    assert await actions(there, actor=me) == [
        "refused.partners.create",
        "refused.requests.withdraw",
    ]
    assert await actions(there, refused="true", actor=there.partner) == []
    assert "person.added" in await actions(there, action="person")
    assert await actions(there, action="perso") == []
    assert await actions(there, action="person.added", actor=there.people["admin"]) == [
        "person.added"
    ]
    about = await actions(there, about=request)
    assert about[0] == "request.submitted"
    assert about[-1] == "refused.requests.withdraw"
    assert await actions(there, request=request) == about
    person = (await there.get("admin", "/v1/people", search="newcomer@")).json()["items"][0]
    assert await actions(there, about=person["id"]) == ["person.added"]
    assert await actions(there, about=person["id"][:-1]) == []
    assert await actions(there, about="%") == []


async def test_the_latest_first_and_page_by_page(there: World) -> None:
    """`newest` turns the order round, pages follow each other without a gap, and days bound it."""
    await worth_reading(there)
    every = (await there.get("auditor", "/v1/audit", limit=200)).json()["items"]
    seen, cursor = [], None
    while True:
        query = {"limit": 2, "newest": "true", **({"cursor": cursor} if cursor else {})}
        answer = (await there.get("auditor", "/v1/audit", **query)).json()
        seen += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert [e["position"] for e in seen] == [e["position"] for e in reversed(every)]
    day = every[0]["at"][:10]
    assert len(await actions(there, **{"from": day, "to": every[-1]["at"][:10]})) == len(every)
    assert await actions(there, to="2020-01-01") == []
    assert await actions(there, **{"from": every[-1]["at"], "limit": 1}) != []
    wrong = await there.get("auditor", "/v1/audit", **{"from": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "from")


async def test_a_reading_of_the_log_is_kept_in_it(there: World) -> None:
    """Who verified it, when, and what that came to is an entry of its own, the latest first."""
    await worth_reading(there)
    seen = (await there.post("auditor", "/v1/audit/verifications")).json()
    assert seen["ok"] is True
    await there.post("admin", "/v1/audit/verifications")
    kept = (await there.get("admin", "/v1/audit/verifications")).json()["items"]
    assert [one["by"] for one in kept] == [there.people["admin"], there.people["auditor"]]
    assert (kept[1]["ok"], kept[1]["entries"], kept[1]["head"]) == (
        True, seen["entries"], seen["head"],
    )  # fmt: skip
    entry = (await there.get("admin", f"/v1/audit/{kept[1]['position']}")).json()
    assert (entry["action"], entry["previous"]) == ("audit.verified", seen["head"])
    assert (await there.get("admin", "/v1/audit/99999")).status_code == 404


async def test_a_broken_log_is_said_and_kept(here: World) -> None:
    """An entry that was changed with a hand on the database is found, and that is on record."""
    await worth_reading(here)
    await here.database.write(
        lambda unit: [
            unit.session.connection().execute(text(said))
            for said in (
                "DROP TRIGGER audit_entry_no_update",
                "UPDATE audit_entry SET actor = 'x' WHERE position = 2",
            )
        ]
    )
    seen = (await here.post("auditor", "/v1/audit/verifications")).json()
    assert seen == {"ok": False, "detail": "Entry 2 was changed."}
    kept = (await here.get("auditor", "/v1/audit/verifications")).json()["items"]
    assert (kept[0]["ok"], kept[0]["detail"]) == (False, "Entry 2 was changed.")


async def test_what_fits_is_taken_away_as_a_file(there: World) -> None:
    """NDJSON and CSV have exactly the entries of the list, and a cell is never a formula."""
    await worth_reading(there)
    await there.database.write(lambda unit: unit.audit("=1+1", "person.added"))
    listed = (await there.get("auditor", "/v1/audit", limit=200, action="person")).json()["items"]
    answer = await there.get("auditor", "/v1/audit/export", action="person")
    assert answer.headers["content-disposition"].endswith('"audit.ndjson"')
    assert [json.loads(line) for line in answer.text.splitlines()] == listed
    answer = await there.get("auditor", "/v1/audit/export", action="person", format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["hash"] for row in rows] == [entry["hash"] for entry in listed]
    assert rows[-1]["actor"] == "'=1+1"
    assert (await there.get("engineer", "/v1/audit/export")).status_code == 403
