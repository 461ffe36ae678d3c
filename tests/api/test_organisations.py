"""Organisations over HTTP: told, told again, searched; who they lead to steps aside."""

import json
from typing import Any

import pytest

from tests.api.world import LEI, World

OTHER_LEI = "254900OPPU84GM83MG36"
ADDRESS = "/v1/organisations"


def fund(**changes: Any) -> dict[str, Any]:
    """A fund that holds a fifth of the first partner's owner."""
    owner = {"name": "Aurora Fund", "share": 0.2, "from": "2012-01-01", **changes}
    return {"name": "Aurora Holdings", "parents": [owner]}


def partner_owned() -> dict[str, Any]:
    """The first partner, owned by Aurora Holdings."""
    return {"name": "Acme", "lei": LEI, "parents": [{"name": "Aurora Holdings", "share": 0.9}]}


def interest(person: str, name: str = "Aurora Fund") -> dict[str, Any]:
    """A stake of somebody's."""
    return {
        "person": person,
        "organisation": {"name": name},
        "kind": "equity",
        "from": "2020-01-01",
        "detail": "A private matter.",
    }


async def lines(world: World, *told: object, who: str = "conflict_officer") -> Any:
    """Lines sent in one call: the answer."""
    body = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in told)
    kind = {"Content-Type": "application/x-ndjson"}
    answer = await world.call(who, "POST", ADDRESS, content=body.encode(), headers=kind)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_fund_behind_an_owner_recuses_at_once(there: World) -> None:
    """With each edge that comes to be known, whoever it leads to is recused from open requests."""
    view = await there.submitted()
    who = there.people["purpose_reviewer"]
    own = await there.post("purpose_reviewer", "/v1/interests", interest(who))
    assert own.json()["recused_from"] == []
    first = (await there.post("conflict_officer", ADDRESS, fund())).json()
    assert (first["recused"], first["warnings"]) == ([], [])
    second = (await there.post("admin", ADDRESS, partner_owned())).json()
    assert second["recused"] == [{"request": view["id"], "person": who}]
    assert second["parents"][0]["name"] == "Aurora Holdings"
    answer = await there.decide(view, "purpose_review")
    assert (answer.status_code, answer.json()["why"]) == (403, "recused")
    actions = [entry["action"] for entry in await there.audit()]
    assert actions[-3:] == ["organisations.added", "person.recused", "refused.requests.decide"]


async def test_a_screening_is_a_path_to_draw(there: World) -> None:
    """The conflict officer and the auditor see who it is, the path and its words; others inside see
    no person, and a partner nothing."""
    view = await there.submitted()
    await lines(there, fund(), partner_owned())
    await there.post("engineer", "/v1/interests", interest(there.people["engineer"]))
    address = f"/v1/requests/{view['id']}/screening"
    for role in ("conflict_officer", "auditor"):
        (match,) = (await there.get(role, address)).json()["matches"]
        assert match["person"] == there.people["engineer"]
        assert match["words"] == (
            "engineer holds a stake in Aurora Fund, which owns 20 % of Aurora Holdings, which owns "
            "90 % of Acme Ltd."
        )
    assert [leg["to"]["name"] for leg in match["path"]] == ["Aurora Holdings", "Acme Ltd"]
    assert [(leg["owns"], leg["share"]) for leg in match["path"]] == [(True, 0.2), (True, 0.9)]
    assert (match["strength"], match["class"], match["hops"]) == (0.162, "moderate", 2)
    seen = (await there.get("legal_counsel", address)).text
    assert '"path"' in seen
    for private in (there.people["engineer"], "int_", "engineer", "equity", "A private matter"):
        assert private not in seen, private
    assert (await there.get("partner", address)).status_code == 403
    assert (await there.get("auditor", "/v1/requests/req_0/screening")).status_code == 404


async def test_a_name_that_is_alike_is_ruled_on(there: World) -> None:
    """A name that is only alike waits for a conflict officer: until then it is a gap that recuses
    nobody; confirmed, it recuses; dismissed, it is told with the reason."""
    view = await there.submitted()
    who = there.people["purpose_reviewer"]
    told = await there.post("purpose_reviewer", "/v1/interests", interest(who, "Acmee Trading"))
    await lines(there, {"name": "Acme", "lei": LEI, "parents": [{"name": "Acme Trading"}]})
    assert told.json()["recused_from"] == []
    address = f"/v1/requests/{view['id']}/screening"
    (pair,) = (await there.get("conflict_officer", address)).json()["names_alike"]
    assert (pair["named"], pair["organisation"]["name"]) == ("Acmee Trading", "Acme Trading")
    rulings = f"/v1/interests/{pair['interest']}/rulings"
    body = {"organisation": pair["organisation"]["id"], "ruling": "dismissed", "reason": "Not it."}
    answer = await there.post("conflict_officer", rulings, body)
    assert (answer.status_code, answer.json()["recused_from"]) == (201, [])
    (pair,) = (await there.get("conflict_officer", address)).json()["names_alike"]
    assert (pair["ruling"], pair["reason"]) == ("dismissed", "Not it.")
    body |= {"ruling": "confirmed", "reason": "It is, by its address."}
    answer = await there.post("conflict_officer", rulings, body)
    assert answer.json()["recused_from"] == [view["id"]]
    seen = (await there.get("conflict_officer", address)).json()
    assert [m["confirmed"] for m in seen["matches"]] == [True]
    assert seen["names_alike"] == []
    events = (await there.get("auditor", "/v1/events", limit=200)).json()["items"]
    assert [e["type"] for e in events].count("clearance.match.ruled") == 2


async def test_an_open_gate_shows_what_is_known_now(here: World) -> None:
    """The findings of gate 3 follow rulings and edges as long as it waits for a decision."""
    view = await here.submitted()
    told = await here.post("engineer", "/v1/interests", interest("engineer@example.org", "Acmee"))
    for stage in ("purpose_review", "consent_verification"):
        await here.decide(view, stage)

    async def finding(check: str) -> dict[str, str]:
        stages = {s["stage"]: s for s in (await here.seen(view))["stages"]}
        found = {f["check"]: f for f in stages["conflict_signoff"]["findings"]}
        return dict(found[check])

    assert (await finding("names_alike"))["result"] == "gap"
    assert (await finding("interests_screened"))["result"] == "compliant"
    address = f"/v1/requests/{view['id']}/screening"
    (pair,) = (await here.get("auditor", address)).json()["names_alike"]
    body = {"organisation": pair["organisation"]["id"], "ruling": "confirmed", "reason": "Same."}
    await here.post("conflict_officer", f"/v1/interests/{told.json()['id']}/rulings", body)
    assert (await finding("names_alike"))["result"] == "compliant"
    assert "confirmed to be Acme Ltd" in (await finding("interests_screened"))["detail"]
    assert (await finding("ownership_known"))["result"] == "gap"
    await here.post("admin", ADDRESS, partner_owned())
    assert (await finding("ownership_known"))["detail"] == "Owners: Aurora Holdings."
    seen = (await here.get("partner", f"/v1/requests/{view['id']}")).text
    assert "Aurora" not in seen
    assert (await here.decide(view, "conflict_signoff")).status_code == 201


async def test_nobody_rules_on_their_own_interest(here: World) -> None:
    """A conflict officer cannot dismiss what is found about themselves."""
    who = here.people["conflict_officer"]
    told = await here.post("conflict_officer", "/v1/interests", interest(who, "Acmee"))
    body = {"organisation": "org_" + "0" * 19 + "1", "ruling": "dismissed", "reason": "No."}
    rulings = f"/v1/interests/{told.json()['id']}/rulings"
    answer = await here.post("conflict_officer", rulings, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_ruling_is_about_names_that_are_alike(here: World) -> None:
    """A ruling on an interest or organisation that is not there, or on names that are not alike, is
    refused by its field."""
    told = await here.post("engineer", "/v1/interests", interest("engineer@example.org"))
    body = {"organisation": "org_" + "0" * 19 + "1", "ruling": "confirmed", "reason": "Same."}
    rulings = f"/v1/interests/{told.json()['id']}/rulings"
    for changes in ({}, {"organisation": "org_x"}, {"ruling": "perhaps"}, {"reason": ""}):
        answer = await here.post("conflict_officer", rulings, {**body, **changes})
        assert answer.status_code == 422, changes
        assert answer.json()["errors"][0]["path"] in {"organisation", "ruling", "reason"}
    absent = f"/v1/interests/int_{'0' * 20}/rulings"
    assert (await here.post("conflict_officer", absent, body)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"lei": "5493001KJTIIGC8Y1R13"}, "lei"),
        ({"name": None}, "body"),
        ({"name": ""}, "name"),
        ({"source": "partner:ptr_1"}, "source"),
        ({"aliases": "Other"}, "aliases"),
        ({"parents": [{"name": "P", "share": 1.5}]}, "parents.0.share"),
        ({"parents": [{"name": "P", "share": 0}]}, "parents.0.share"),
        ({"parents": [{"name": "P", "kind": "friend"}]}, "parents.0.kind"),
        ({"parents": [{"name": "P", "from": "2020-02-01", "until": "2020-01-01"}]}, "parents.0"),
        ({"parents": [{"name": "P", "share": 0.2, "at_least": 0.3}]}, "parents.0"),
        ({"parents": [{"name": "P", "lei": "5493001KJTIIGC8Y1R13"}]}, "parents.0.lei"),
        ({"parents": [{"name": "P", "person": True}]}, "parents.0"),
        ({"parent": []}, "parent"),
    ],
)
async def test_bad_organisations(shared: World, changes: dict[str, Any], path: str) -> None:
    """What cannot be is refused by its field, alone and as a line among good ones."""
    body = {"name": "Acme Trading", **changes}
    answer = await shared.post("admin", ADDRESS, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == path
    told = await lines(shared, {"name": "Good one"}, body, "{", "[]")
    assert [one["line"] for one in told["refused"]] == [2, 3, 4]
    assert told["refused"][0]["reason"].startswith(path.replace("body", "line"))


async def test_the_same_lines_again_are_known(here: World) -> None:
    """Lines that were told before change nothing, and a cycle of owners is taken as it is."""
    ring = [
        {"name": "One", "parents": [{"name": "Two", "share": 0.6}]},
        {"name": "Two", "parents": [{"name": "One", "share": 0.6}]},
    ]
    first, again = await lines(here, *ring), await lines(here, *ring)
    assert (first["organisations"], first["edges"], first["known"]) == (2, 2, 0)
    assert (again["organisations"], again["edges"], again["known"]) == (0, 0, 2)


async def test_more_than_all_is_a_warning(here: World) -> None:
    """Owners whose shares come to more than all are taken, and the answer warns of it."""
    owners = [{"name": "One", "share": 0.7}, {"name": "Two", "share": 0.7}]
    told = (await here.post("admin", ADDRESS, {"name": "Odd Co", "parents": owners})).json()
    assert told["warnings"] == ["More than all of Odd Co is owned, as recorded."]


async def test_organisations_are_searched(here: World) -> None:
    """Staff find organisations by part of a name or alias, or by LEI, page by page."""
    told = [{"name": f"Zebra {n}", "aliases": ["Striped One"] if n == 2 else []} for n in range(4)]
    await lines(here, *told, {"name": "Lion_ %", "lei": OTHER_LEI})

    async def names(search: str) -> list[str]:
        found = (await here.get("engineer", ADDRESS, search=search)).json()["items"]
        return [one["name"] for one in found]

    assert await names("ZEBRA") == [f"Zebra {n}" for n in range(4)]
    assert await names("striped") == ["Zebra 2"]
    assert await names(OTHER_LEI.lower()) == ["Lion_ %"]
    assert await names("%") == []
    page = (await here.get("engineer", ADDRESS, search="zebra", limit=3)).json()
    rest = await here.get("engineer", ADDRESS, search="zebra", limit=3, cursor=page["next"])
    assert [one["name"] for one in rest.json()["items"]] == ["Zebra 3"]
    assert rest.json()["next"] is None


async def test_other_bodies_are_refused(shared: World) -> None:
    """A body that is neither one JSON object nor lines is refused, saying what would do."""
    for kind, body, code in (
        ("text/csv", b"name\n", "unsupported_media_type"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "invalid_body"),
    ):
        headers = {"Content-Type": kind}
        answer = await shared.call("admin", "POST", ADDRESS, content=body, headers=headers)
        assert answer.json()["code"] == code, (kind, body, answer.text)
