"""People and the roles they hold: a list to search in, one person, and what an admin does."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.acts import back_to, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import delegations, links, people, sign_in_links, tokens
from api.routes.delegations import NewDelegation
from api.routes.links import NewLink
from api.routes.people import NewPerson, NewRole
from api.routes.tokens import NewToken
from sharing.errors import bad_field
from sharing.records import people_views
from sharing.stages import GATE_ROLES, STAFF, Role

HELD = (*(role for role in Role if role in STAFF), Role.PARTNER)


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    one = "/people/{person_id}"
    hang(app, "/people", "pages.people", _list)
    hang(app, "/people", "people.create", _add, "POST")
    hang(app, "/people/sign-in-links", "sign_in_links.create", _let_in, "POST")
    hang(app, one, "pages.person", _one)
    hang(app, f"{one}/roles", "people.give", _give, "POST")
    hang(app, f"{one}/roles/{{role}}/take", "people.take", _take, "POST")
    hang(app, f"{one}/links", "people.link", _link, "POST")
    hang(app, f"{one}/tokens", "tokens.create", _token, "POST")
    hang(app, f"{one}/tokens/{{token_id}}/revoke", "tokens.revoke", _end_token, "POST")
    hang(app, f"{one}/delegations", "delegations.create", _delegate, "POST")
    hang(app, f"{one}/delegations/{{delegation_id}}/revoke", "delegations.revoke", _back, "POST")


async def _list(visit: Visit) -> Response:
    return await listed(visit, 200)


async def listed(
    visit: Visit, status: int, errors: Mapping[str, str] | None = None, secret: str = ""
) -> Response:
    """The list as the address asks for it; `secret` is a sign-in link that was made just now, and
    is shown this once."""
    said = {"q": asked(visit, "q"), "role": asked(visit, "role")}
    role = Role(said["role"]) if said["role"] in list(Role) else None
    after = decoded(visit.call.query_params.get("after"), (str, str)) or []

    def query(session: Session) -> list[dict[str, Any]]:
        return people_views.people(
            session, PAGE + 1, search=said["q"], role=role, after=after, by_name=True
        )

    found = await visit.call.read(query)
    last = found[PAGE - 1] if len(found) > PAGE else None
    following = encoded([last["name"], last["id"]]) if last else ""
    return record(
        "people.html",
        status,
        visit,
        errors,
        people=found[:PAGE],
        secret=secret,
        said=said,
        roles=HELD,
        following=address("/people", **said, after=following) if following else "",
    )


async def _one(visit: Visit) -> Response:
    return await shown(visit, 200)


async def shown(
    visit: Visit, status: int, errors: Mapping[str, str] | None = None, secret: str = ""
) -> Response:
    """One person; `secret` is a token that was made just now, and is shown this once."""
    name = visit.call.path_params["person_id"]
    person = await visit.call.read(lambda s: people_views.person_view(s, people.named(s, name)))
    own = visit.call.principal.person_id in (person["id"], *person["accounts"])
    return record(
        "person.html",
        status,
        visit,
        errors,
        person=person,
        secret=secret,
        own=own,
        roles=[role for role in HELD if role not in person["roles"]],
        delegable=sorted(set(GATE_ROLES.values()) & set(person["roles"])),
    )


async def _add(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(
            NewPerson,
            name=visit.sent("name"),
            email=visit.sent("email"),
            roles=visit.form.get("roles", []),
            partner=visit.sent("partner") or None,
        )
        await people.create(body, visit.call)
        return back_to(f"/people/{quote(body.email, safe='@')}", "person_added")

    return await tried(visit, "people.create", act, lambda s, e: listed(visit, s, e))


async def _let_in(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(sign_in_links.NewLink, subject=visit.sent("subject"))
        answer = await sign_in_links.create(body, visit.call)
        return await listed(visit, 201, secret=sign_in_links.link_of(answer))

    return await tried(visit, "sign_in_links.create", act, lambda s, e: listed(visit, s, e))


async def _give(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(NewRole, role=visit.sent("role"))
        await people.give(_whose(visit), body, visit.call)
        return back_to(f"/people/{_whose(visit)}", "role_given")

    return await tried(visit, "people.give", act, lambda s, e: shown(visit, s, e))


async def _take(visit: Visit) -> Response:
    async def act() -> Response:
        role = visit.call.path_params["role"]
        if role not in list(Role):
            raise bad_field("role", "is not one that there is.")
        await people.take(_whose(visit), Role(role), visit.call)
        return back_to(f"/people/{_whose(visit)}", "role_taken")

    return await tried(visit, "people.take", act, lambda s, e: shown(visit, s, e))


async def _link(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(NewLink, same_as=visit.sent("same_as"))
        await links.link(_whose(visit), body, visit.call)
        return back_to(f"/people/{_whose(visit)}", "person_linked")

    return await tried(visit, "people.link", act, lambda s, e: shown(visit, s, e))


async def _token(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(NewToken, person=_whose(visit), role=visit.sent("role"))
        answer = await tokens.create(body, visit.call)
        return await shown(visit, 201, secret=tokens.secret_of(answer))

    return await tried(visit, "tokens.create", act, lambda s, e: shown(visit, s, e))


async def _end_token(visit: Visit) -> Response:
    await tokens.revoke(visit.call.path_params["token_id"], visit.call)
    return back_to(f"/people/{_whose(visit)}", "token_ended")


async def _delegate(visit: Visit) -> Response:
    async def act() -> Response:
        given = {name: visit.sent(name) for name in ("to", "role", "until", "reason")}
        since = {"from": visit.sent("from")} if visit.sent("from") else {}
        body = made(NewDelegation, person=_whose(visit), **given, **since)
        await delegations.create(body, visit.call)
        return back_to(f"/people/{_whose(visit)}", "delegated")

    return await tried(visit, "delegations.create", act, lambda s, e: shown(visit, s, e))


async def _back(visit: Visit) -> Response:
    await delegations.revoke(visit.call.path_params["delegation_id"], visit.call)
    return back_to(f"/people/{_whose(visit)}", "delegation_ended")


def _whose(visit: Visit) -> str:
    name: str = visit.call.path_params["person_id"]
    return name
