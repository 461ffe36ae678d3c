"""The register of interests over HTTP: statements, who sees what, and who cannot decide."""

from datetime import timedelta

from sharing.records import register, statements
from sharing.records.tables import now
from tests.api.test_interests import interest
from tests.api.world import World


async def stated(world: World, who: str, lasting: timedelta) -> None:
    """A statement that is good for so long."""
    person = world.people[who]
    await world.database.write(lambda u: statements.state(u, person, statements.NOTHING, lasting))


async def lapsed(world: World, who: str) -> None:
    """Somebody whose one statement has run out."""
    at, person = now() - timedelta(days=400), world.people[who]
    row = statements.RegisterDeclaration(
        id=f"rgd_{who}", person_id=person, statement="nothing", at=at,
        valid_until=at + statements.YEAR,
    )  # fmt: skip
    await world.database.write(lambda u: u.session.add(row))


async def test_a_statement_agrees_with_what_is_on_record(there: World) -> None:
    """Nothing to declare is refused to whoever has an interest on record, and the other way round;
    the refusal names the field and the cure."""
    answer = await there.post("engineer", "/v1/declarations", {"nothing_to_declare": False})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "nothing_to_declare"
    assert "/v1/interests" in answer.json()["errors"][0]["message"]
    made = (await there.post("engineer", "/v1/declarations", {"nothing_to_declare": True})).json()
    assert (made["statement"], made["person"]) == ("nothing", there.people["engineer"])
    await there.post("conflict_officer", "/v1/interests", interest("engineer@example.org"))
    answer = await there.post("engineer", "/v1/declarations", {"nothing_to_declare": True})
    assert answer.status_code == 422
    made = (await there.post("engineer", "/v1/declarations", {"nothing_to_declare": False})).json()
    assert made["statement"] == "interests"
    for body in ({}, {"nothing_to_declare": "yes"}, {"nothing_to_declare": True, "person": "x"}):
        assert (await there.post("engineer", "/v1/declarations", body)).status_code == 422


async def test_an_interest_of_ones_own_renews_the_statement(here: World) -> None:
    """Who declares an interest of their own has stated what they have; a conflict officer who does
    it for somebody has not spoken for them."""
    await here.post("engineer", "/v1/interests", interest("engineer@example.org"))
    await here.post("conflict_officer", "/v1/interests", interest("admin@example.org"))
    mine = (await here.get("engineer", "/v1/declarations")).json()["items"]
    assert [(one["standing"], one["statement"]) for one in mine] == [("valid", "interests")]
    assert (await here.get("admin", "/v1/declarations")).json()["items"][0]["standing"] == "none"


async def test_officers_and_auditors_see_how_everybody_stands(here: World) -> None:
    """One's own standing is for oneself, everybody's for conflict officers and auditors, page by
    page: who has none, whose runs out, whose has run out."""
    await stated(here, "engineer", timedelta(days=20))
    await lapsed(here, "legal_counsel")
    await stated(here, "admin", timedelta(days=300))
    for who in ("conflict_officer", "auditor"):
        for standing, people in (
            ("due", ["engineer"]), ("lapsed", ["legal_counsel"]), ("valid", ["admin"]),
        ):  # fmt: skip
            found = (await here.get(who, "/v1/declarations", standing=standing)).json()["items"]
            assert [one["person"] for one in found] == [here.people[p] for p in people]
        none = (await here.get(who, "/v1/declarations", standing="none", limit=200)).json()
        assert here.people["engineer2"] in {one["person"] for one in none["items"]}
    first = (await here.get("auditor", "/v1/declarations", limit=3)).json()
    second = (await here.get("auditor", "/v1/declarations", limit=3, cursor=first["next"])).json()
    ids = [one["person"] for one in (*first["items"], *second["items"])]
    assert len(set(ids)) == 6
    own = (await here.get("engineer", "/v1/declarations")).json()["items"]
    assert [one["person"] for one in own] == [here.people["engineer"]]
    assert (await here.get("auditor", "/v1/declarations", standing="?")).status_code == 422


async def test_a_lapsed_statement_refuses_a_decision_until_it_is_renewed(there: World) -> None:
    """Whose statement has run out decides nothing, waits for nothing and is not waited for; a
    renewal mends it. The first decision of somebody who never made one makes it."""
    view = await there.submitted()
    await lapsed(there, "purpose_reviewer")
    assert (await there.get("purpose_reviewer", "/v1/reviews")).json()["items"] == []
    waiting = (await there.seen(view))["waiting_for"]
    assert (waiting["people"], waiting["code"]) == ([], "nobody_left")
    assert waiting["roles"] == ["admin", "conflict_officer"]
    answer = await there.decide(view, "purpose_review")
    assert (answer.status_code, answer.json()["why"]) == (403, "declaration")
    renewed = {"nothing_to_declare": True}
    await there.post("purpose_reviewer", "/v1/declarations", renewed)
    assert (await there.decide(view, "purpose_review")).status_code == 201
    assert (await there.decide(view, "consent_verification")).status_code == 201
    made = (await there.get("consent_steward", "/v1/declarations")).json()["items"]
    assert made[0]["statement"] == "nothing"


async def test_a_reminder_comes_once_in_seven_days(there: World) -> None:
    """Whose statement runs out soon, or has, is told once however often the register is looked
    through; who never made one is not."""
    await stated(there, "engineer", timedelta(days=20))
    await stated(there, "admin", timedelta(days=31))
    await lapsed(there, "auditor")
    told = await there.database.write(register.remind)
    assert set(told) == {there.people["engineer"], there.people["auditor"]}
    assert await there.database.write(register.remind) == []
    events = (await there.get("admin", "/v1/events", limit=200)).json()["items"]
    reminders = [one for one in events if one["type"] == "clearance.register.reminder"]
    assert {one["data"]["standing"] for one in reminders} == {"due", "lapsed"}


async def test_what_is_told_in_confidence_stays_there(here: World) -> None:
    """The detail of an interest is for conflict officers and the person; an auditor sees that the
    interest is there, and everybody else nothing."""
    await here.post("engineer", "/v1/interests", interest("engineer@example.org"))

    async def seen(who: str) -> list[str | None]:
        return [one["detail"] for one in (await here.get(who, "/v1/interests")).json()["items"]]

    told = "Shares worth 2,000."
    assert (await seen("engineer"), await seen("conflict_officer")) == ([told], [told])
    assert (await seen("auditor"), await seen("admin")) == ([None], [])
