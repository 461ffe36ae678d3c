"""Who may call what: every role at every route, made from the one table."""

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.app import ROUTES
from api.auth import ACTS, ALLOWED
from sharing.stages import Role
from tests.api.world import World

GUARDED = sorted(name for name, roles in ALLOWED.items() if roles is not None)
ABSENT = {
    "{request_id}": "req_" + "0" * 20,
    "{export_id}": "exp_" + "0" * 20,
    "{partner_id}": "ptr_" + "0" * 20,
    "{key_id}": "key_" + "0" * 20,
    "{interest_id}": "int_" + "0" * 20,
    "{draft_id}": "dra_" + "0" * 20,
    "{delegation_id}": "dlg_" + "0" * 20,
    "{person_id}": "per_" + "0" * 20,
    "{organisation_id}": "org_" + "0" * 20,
    "{token_id}": "tok_" + "0" * 20,
    "{role}": "admin",
    "{name}": "absent",
    "{name:path}": "absent",
    "{position}": "0",
    "{number}": "999",
}


def routes() -> dict[str, APIRoute]:
    """Every route of the API by name."""
    found: list[BaseRoute] = [route for noun in ROUTES for route in noun.router.routes]
    return {route.name: route for route in found if isinstance(route, APIRoute)}


def address(name: str) -> tuple[str, str]:
    """A method and a path that lead to a route."""
    route = routes()[name]
    path = route.path
    for place, value in ABSENT.items():
        path = path.replace(place, value)
    return next(iter(route.methods or ())), path


def test_the_table_names_every_route_and_no_other() -> None:
    """Each route has a line in the table of roles, and each line has a route."""
    assert set(routes()) == set(ALLOWED)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", GUARDED)
async def test_a_role_may_call_what_the_table_says(shared: World, name: str, role: Role) -> None:
    """A role that the table does not name gets 403, one that it names gets past the door."""
    answer = await shared.call(role, *address(name))
    allowed = ALLOWED[name]
    assert allowed is not None
    if role in allowed:
        assert answer.status_code not in (401, 403), answer.text
        return
    told = answer.json()
    assert answer.status_code == 403
    assert told["code"] == ("not_eligible" if name in ACTS else "forbidden")
    assert told.get("why") == ("role" if name in ACTS else None)


@pytest.mark.parametrize("name", GUARDED)
async def test_without_a_token_nothing_is_answered(shared: World, name: str) -> None:
    """A caller without a token gets 401 and is told how to authenticate."""
    answer = await shared.call("", *address(name))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YTpi", "nonsense", ""])
async def test_a_bad_token_is_no_token(shared: World, header: str) -> None:
    """An Authorization header that holds no valid bearer token gets 401."""
    answer = await shared.http.get("/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_a_refused_attempt_is_in_the_audit_log(here: World) -> None:
    """A change refused for the caller's role leaves an entry that names caller, route and why."""
    await here.post("engineer", "/v1/partners", {"name": "Mine"})
    last = (await here.audit())[-1]
    assert last["actor"] == here.people["engineer"]
    assert last["action"] == "refused.partners.create"
    assert last["detail"] == {"code": "forbidden"}


async def test_a_role_taken_away_ends_its_tokens(here: World) -> None:
    """A token whose role its person no longer holds is no token any more."""
    from sqlmodel import col, update

    from sharing.records.parties import RoleGrant
    from sharing.records.tables import now

    assert (await here.get("auditor", "/v1/me")).status_code == 200
    await here.database.write(
        lambda unit: unit.session.execute(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == here.people["auditor"])
            .values(valid_until=now())
        )
    )
    here.app.state.backend.doorkeeper.forget()
    assert (await here.get("auditor", "/v1/me")).status_code == 401
