"""What the pages of records show is there by calls: one person, one partner, roles given and taken,
tokens ended, an organisation's owners, what waits to be kept up."""

from tests.api.world import World


async def test_one_person_with_all_that_hangs_on_them(there: World) -> None:
    """A person shows roles ever held, delegations, accounts and tokens, and no token itself."""
    counsel = there.people["legal_counsel"]
    made = {"person": counsel, "to": there.people["engineer2"], "role": "legal_counsel"}
    until = {"until": "2999-12-31", "reason": "Leave."}
    assert (await there.post("admin", "/v1/delegations", made | until)).status_code == 201
    one = (await there.get("engineer", f"/v1/people/{counsel}")).json()
    assert [(g["role"], g["held"]) for g in one["grants"]] == [("legal_counsel", True)]
    assert one["delegations"][0]["to"] == there.people["engineer2"]
    assert [(t["role"], t["good"]) for t in one["tokens"]] == [("legal_counsel", True)]
    assert there.tokens["legal_counsel"] not in str(one)
    other = (await there.get("engineer", "/v1/people/engineer2@example.org")).json()
    assert other["roles"] == ["engineer", "legal_counsel"]
    lent = [g for g in other["grants"] if g["delegation"]]
    assert [g["role"] for g in lent] == ["legal_counsel"]


async def test_people_are_found_by_name_and_role(there: World) -> None:
    """`search` finds a part of a name or address in any case, and `role` those who hold it."""
    found = (await there.get("admin", "/v1/people", search="ENGIN")).json()["items"]
    assert sorted(one["name"] for one in found) == ["engineer", "engineer2"]
    held = (await there.get("admin", "/v1/people", role="auditor")).json()["items"]
    assert [(one["name"], one["roles"]) for one in held] == [("auditor", ["auditor"])]
    first = (await there.get("admin", "/v1/people", limit=1)).json()
    rest = (await there.get("admin", "/v1/people", limit=200, cursor=first["next"])).json()
    assert len(first["items"] + rest["items"]) == len(there.people)


async def test_a_role_is_given_and_taken(there: World) -> None:
    """A role given counts from now on; taken, its tokens end at once, and both are on record."""
    engineer = there.people["engineer"]
    path = f"/v1/people/{engineer}/roles"
    given = await there.post("admin", path, {"role": "auditor"})
    assert (given.status_code, given.json()["roles"]) == (201, ["auditor", "engineer"])
    token = await there.post("admin", "/v1/tokens", {"person": engineer, "role": "auditor"})
    there.tokens["new"] = token.json()["token"]
    assert (await there.get("new", "/v1/audit")).status_code == 200
    taken = await there.post("admin", f"{path}/auditor/take")
    assert (taken.status_code, taken.json()["roles"]) == (201, ["engineer"])
    assert (await there.get("new", "/v1/audit")).status_code == 401
    again = await there.post("admin", f"{path}/auditor/take")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    actions = [entry["action"] for entry in await there.audit()]
    assert [a for a in actions if a.startswith("role.")] == ["role.given", "role.taken"]
    grants = (await there.get("admin", f"/v1/people/{engineer}")).json()["grants"]
    assert [(g["role"], g["held"]) for g in grants] == [("auditor", False), ("engineer", True)]


async def test_nobody_gives_or_takes_a_role_of_their_own(there: World) -> None:
    """Not by another account either: it takes another admin, and the attempt is on record."""
    me = there.people["admin"]
    for path, body in ((f"/v1/people/{me}/roles", {"role": "engineer"}),
                       (f"/v1/people/{me}/roles/admin/take", None)):  # fmt: skip
        answer = await there.post("admin", path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "four_eyes")
    other = {"name": "Me again", "email": "me2@example.org", "roles": []}
    second = (await there.post("admin", "/v1/people", other)).json()["id"]
    await there.post("admin", f"/v1/people/{me}/links", {"same_as": second})
    answer = await there.post("admin", f"/v1/people/{second}/roles", {"role": "engineer"})
    assert answer.json()["code"] == "four_eyes"
    assert (await there.audit())[-1]["action"] == "refused.people.give"


async def test_a_role_that_cannot_be_held_is_not_given(here: World) -> None:
    """Nobody on record is a subject; who works for no partner does not speak for one; a role that
    is held in another's place ends with the delegation."""
    path = f"/v1/people/{here.people['engineer']}/roles"
    for role in ("subject", "partner"):
        answer = await here.post("admin", path, {"role": role})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "role")
    twice = await here.post("admin", path, {"role": "engineer"})
    assert twice.json()["code"] == "exists"
    lent = {"person": here.people["legal_counsel"], "to": here.people["engineer"],
            "role": "legal_counsel", "until": "2999-12-31", "reason": "Leave."}  # fmt: skip
    await here.post("admin", "/v1/delegations", lent)
    answer = await here.post("admin", f"{path}/legal_counsel/take")
    assert "take the delegation back" in answer.json()["detail"]


async def test_a_new_token_is_ended_by_the_id_it_came_with(there: World) -> None:
    """Whoever made a token can end it by the `id` in that answer, also where the answer was lost
    and asked for again."""
    body = {"person": there.people["engineer"], "role": "engineer"}
    made = (await there.post("admin", "/v1/tokens", body, key="once")).json()
    assert (await there.post("admin", "/v1/tokens", body, key="once")).json() == made
    there.tokens["new"] = made["token"]
    assert (await there.get("new", "/v1/me")).status_code == 200
    ended = await there.post("admin", f"/v1/tokens/{made['id']}/revoke")
    assert (ended.status_code, ended.json()["id"]) == (201, made["id"])
    assert (await there.get("new", "/v1/me")).status_code == 401


async def test_a_token_ends_by_its_id(there: World) -> None:
    """An admin ends a partner's token by the id that the partner's record shows."""
    one = (await there.get("auditor", f"/v1/partners/{there.partner}")).json()
    assert (await there.get("partner", "/v1/me")).status_code == 200
    ended = await there.post("admin", f"/v1/tokens/{one['tokens'][0]['id']}/revoke")
    assert ended.status_code == 201
    assert (await there.get("partner", "/v1/me")).status_code == 401
    assert (await there.post("admin", "/v1/tokens/tok_%25/revoke")).status_code == 404
    assert (await there.audit())[-2]["action"] == "token.revoked"


async def test_one_partner_with_its_owners_and_requests(there: World) -> None:
    """A partner shows its keys, who owns it as recorded, and what it asked for."""
    body = {"name": "Deep Ltd", "parents": [{"name": "Holding SA", "share": 0.6}]}
    made = (await there.post("admin", "/v1/partners", body)).json()
    one = (await there.get("engineer", f"/v1/partners/{made['id']}")).json()
    assert [o["parents"][0]["name"] for o in one["organisations"]] == ["Holding SA"]
    await there.submitted(title="Asked once")
    first = (await there.get("engineer", f"/v1/partners/{there.partner}")).json()
    assert [r["title"] for r in first["requests"]] == ["Asked once"]
    found = (await there.get("engineer", "/v1/partners", search="deep")).json()["items"]
    assert [p["id"] for p in found] == [made["id"]]
    assert (await there.get("engineer", "/v1/partners/ptr_x")).status_code == 404


async def test_lines_of_owners_end_at_those_that_nobody_owns(there: World) -> None:
    """An organisation shows each line of owners from the top, what it owns, and its partner; a
    circle of owners ends."""
    for name, owner in (
        ("Middle SA", "Top AG"),
        ("Bottom Ltd", "Middle SA"),
        ("Top AG", "Bottom Ltd"),
    ):
        body = {"name": name, "parents": [{"name": owner, "share": 0.5}]}
        assert (await there.post("admin", "/v1/organisations", body)).status_code == 201
    listed = (await there.get("admin", "/v1/organisations", search="bottom")).json()["items"]
    one = (await there.get("engineer", f"/v1/organisations/{listed[0]['id']}")).json()
    assert [[leg["from"]["name"] for leg in line] for line in one["paths"]] == [
        ["Top AG", "Middle SA"]
    ]
    assert [o["name"] for o in one["owns"]] == ["Top AG"]
    assert one["partners"] == []


async def test_a_dataset_names_the_notices_that_speak_of_it(there: World) -> None:
    """People inside see which versions of notices tell of a dataset's data, partners do not."""
    one = (await there.get("engineer", "/v1/datasets/profile-photos")).json()
    assert [(n["name"], n["version"], n["stands"]) for n in one["notices"]] == [
        ("privacy", "3", True)
    ]
    assert "notices" not in (await there.get("partner", "/v1/datasets/profile-photos")).json()
    assert (await there.get("partner", "/v1/notices", name="privacy")).json()["items"]
    assert not (await there.get("partner", "/v1/notices", name="other")).json()["items"]


async def test_what_waits_to_be_kept_up(there: World) -> None:
    """An admin sees a policy that another proposed, attempts that were refused, and that nobody
    read the log yet; after a reading, what that came to."""
    first = (await there.get("admin", "/v1/upkeep")).json()
    assert (first["policies"], first["refused"], first["verified"]) == ([], 0, None)
    text = 'title = "Another"\n'
    await there.post("admin", "/v1/policies", {"text": text, "reason": "To see."})
    await there.post("engineer", "/v1/policies", {"text": text, "reason": "To see."})
    await there.post("auditor", "/v1/audit/verifications")
    own = (await there.get("admin", "/v1/upkeep")).json()
    assert [(p["number"], p["own"]) for p in own["policies"]] == [(2, True)]
    assert (own["refused"], own["verified"]["ok"]) == (1, True)
    assert (await there.get("auditor", "/v1/upkeep")).json()["policies"][0]["own"] is False
