"""A partner sees its own; another's is the same 404 as absent (I24)."""

import pytest

from tests.api.world import World

OBJECTS = [
    ("GET", "/v1/requests/{request}"),
    ("POST", "/v1/requests/{request}/revisions"),
    ("POST", "/v1/requests/{request}/withdraw"),
    ("GET", "/v1/requests/{request}/agreement"),
    ("POST", "/v1/requests/{request}/agreement/acceptance"),
    ("GET", "/v1/exports/{export}"),
    ("GET", "/v1/exports/{export}/events"),
    ("GET", "/v1/exports/{export}/package"),
]
BODIES = {
    "revisions": {"title": "Mine now"},
    "acceptance": {"digest": "0" * 64, "signature": "x"},
}
ABSENT = {"request": "req_" + "0" * 20, "export": "exp_" + "0" * 20}


async def exported(world: World) -> dict[str, str]:
    """A request of the first partner with an export: their ids."""
    view = await world.cleared()
    path = f"/v1/requests/{view['id']}/exports"
    export = (await world.post("engineer", path, {"digest": view["digest"]})).json()
    return {"request": view["id"], "export": export["id"]}


@pytest.mark.parametrize(("method", "path"), OBJECTS)
async def test_anothers_is_as_good_as_absent(here: World, method: str, path: str) -> None:
    """The other partner is answered about a real id exactly as about one that does not exist."""
    ids = await exported(here)
    body = BODIES.get(path.rpartition("/")[2])
    real = await here.call("other", method, path.format(**ids), body)
    absent = await here.call("other", method, path.format(**ABSENT), body)
    assert real.status_code == absent.status_code == 404
    hidden = real.text.replace(ids["request"], "X").replace(ids["export"], "X")
    plain = absent.text.replace(ABSENT["request"], "X").replace(ABSENT["export"], "X")
    assert hidden == plain


async def test_lists_and_events_hold_only_ones_own(there: World) -> None:
    """The other partner's lists of requests and events say nothing about the first one's."""
    ids = await exported(there)
    assert (await there.get("other", "/v1/requests")).json()["items"] == []
    assert (await there.get("other", "/v1/requests", partner=there.partner)).json()["items"] == []
    assert (await there.get("other", "/v1/events")).json()["items"] == []
    own = (await there.get("partner", "/v1/events")).json()["items"]
    assert {event["data"].get("request") for event in own} == {ids["request"]}


async def test_a_partner_never_learns_who_acts_inside(here: World) -> None:
    """What a partner is shown of its own request holds no id, name or address of a person."""
    ids = await exported(here)
    interest = {
        "person": here.people["engineer2"],
        "organisation": {"name": "Acme"},
        "kind": "equity",
        "from": "2020-01-01",
        "detail": "Shares.",
    }
    assert (await here.post("conflict_officer", "/v1/interests", interest)).status_code == 201
    for path in (f"/v1/requests/{ids['request']}", f"/v1/exports/{ids['export']}", "/v1/events"):
        answer = await here.get("partner", path)
        assert answer.status_code == 200
        for role, person in here.people.items():
            assert person not in answer.text
            assert f"{role}@example.org" not in answer.text
        assert "recused" not in answer.text


async def test_people_inside_see_who_acted(here: World) -> None:
    """The same request names its deciders to people inside."""
    ids = await exported(here)
    answer = await here.get("auditor", f"/v1/requests/{ids['request']}")
    assert here.people["purpose_reviewer"] in answer.text
