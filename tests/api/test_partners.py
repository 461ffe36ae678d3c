"""Partners and the classes of recipients that consents speak of."""

from typing import Any

import pytest

from tests.api.world import World

SCIENCE, COMPANY = "dpv:AcademicScientificOrganisation", "dpv:ForProfitOrganisation"
YES = {
    "notice": "privacy",
    "version": "3",
    "purpose": "ai:ModelTraining",
    "category": "pd:ProfilePicture",
}


async def partner(world: World, kind: str | None) -> Any:
    """A new partner of a class."""
    answer = await world.post("admin", "/v1/partners", {"name": "P", "recipient_class": kind})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def standing(world: World, recipient: str) -> Any:
    """Why the first subject's data may not go to a recipient; None if it may."""
    told = (await world.get("subject", "/v1/me/consents")).json()["standing"]
    return {one["recipient"]: one["reason"] for one in told}[recipient]


async def test_a_partner_may_be_of_a_class(there: World) -> None:
    """A class of the vocabulary is kept and shown; a partner without one has none."""
    made = await partner(there, SCIENCE)
    assert made["recipient_class"] == SCIENCE
    listed = (await there.get("auditor", "/v1/partners")).json()["items"]
    shown = {one["id"]: one["recipient_class"] for one in listed}
    assert (shown[made["id"]], shown[there.partner]) == (SCIENCE, None)


@pytest.mark.parametrize("kind", ["dpv:Nothing", "", "*", 7])
async def test_a_class_is_a_term_of_the_vocabulary(shared: World, kind: Any) -> None:
    """A class that nobody knows is refused by its field, with those that there are."""
    answer = await shared.post("admin", "/v1/partners", {"name": "P", "recipient_class": kind})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "recipient_class"


def test_no_route_changes_a_partner() -> None:
    """What consents to a class reach cannot grow: no call changes a partner that is on record."""
    from tests.api.test_permissions import routes

    ways = [route for name, route in routes().items() if name.startswith("partners.")]
    every = {(method, route.path) for route in ways for method in route.methods or ()}
    assert {way for way in every if way[0] != "GET"} == {("POST", "/v1/partners")}


async def test_a_yes_to_a_class_reaches_partners_of_that_class(there: World) -> None:
    """Who said yes to research institutions has not said yes to companies, or to who knows whom."""
    await there.post("subject", "/v1/me/withdrawals", {})
    science, company = await partner(there, SCIENCE), await partner(there, COMPANY)
    answer = await there.post("subject", "/v1/me/consents", {**YES, "recipient": SCIENCE})
    assert answer.status_code == 201, answer.text
    said = answer.json()["described"]["recipient"]
    assert said.startswith("Universities and research institutions")
    reasons = await there.database.read(
        lambda session: [
            _reason(session, one) for one in (science["id"], company["id"], there.partner)
        ]
    )
    assert reasons == [None, "withdrawn", "withdrawn"]


async def test_a_no_to_a_class_takes_back_what_was_said_to_its_partners(there: World) -> None:
    """A withdrawal from a class ends the yes to a partner of it, and leaves a company's alone."""
    science, company = await partner(there, SCIENCE), await partner(there, COMPANY)
    await there.post("subject", "/v1/me/withdrawals", {})
    for one in (science, company):
        await there.post("subject", "/v1/me/consents", {**YES, "recipient": one["id"]})
    wish = {"recipient": SCIENCE}
    ended = (await there.post("subject", "/v1/me/withdrawals", wish)).json()["ended"]
    assert [one["recipient"] for one in ended] == [science["id"]]
    assert await standing(there, company["id"]) is None
    assert await standing(there, science["id"]) == "withdrawn"


def _reason(session: Any, recipient: str) -> str | None:
    from sharing.consent import verify
    from sharing.records import consents
    from sharing.records.tables import now

    question = consents.asking(session, YES["purpose"], YES["category"], recipient, True)
    return verify(question, consents.of_subjects(session, ["s0"])["s0"], now()).excluded
