"""Partners for people: a list to search in, and one with its keys, tokens, owners and requests."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.responses import Response

from api.answers import decoded, encoded
from api.pages.acts import back_to, lines, made, tried
from api.pages.doors import Visit, hang
from api.pages.records import PAGE, address, asked, record
from api.routes import partner_keys, partners, tokens
from api.routes.partner_keys import NewKey
from api.routes.partners import NewPartner
from api.routes.tokens import NewToken
from sharing.errors import bad_field
from sharing.records import partner_views
from sharing.rulebook import Risk
from sharing.stages import Role
from sharing.vocabulary import RECIPIENTS


def add_to(app: FastAPI) -> None:
    """Hangs the pages into the application."""
    one = "/partners/{partner_id}"
    hang(app, "/partners", "pages.partners", _list)
    hang(app, "/partners", "partners.create", _add, "POST")
    hang(app, one, "pages.partner", _one)
    hang(app, f"{one}/keys", "partner_keys.create", _key, "POST")
    hang(app, f"{one}/keys/{{key_id}}/revoke", "partner_keys.revoke", _end_key, "POST")
    hang(app, f"{one}/tokens", "tokens.create", _token, "POST")
    hang(app, f"{one}/tokens/{{token_id}}/revoke", "tokens.revoke", _end_token, "POST")


async def _list(visit: Visit) -> Response:
    return await listed(visit, 200)


async def listed(visit: Visit, status: int, errors: Mapping[str, str] | None = None) -> Response:
    """The list as the address asks for it."""
    search = asked(visit, "q")
    after = decoded(visit.call.query_params.get("after"), (str, str)) or []

    def query(session: Session) -> list[dict[str, Any]]:
        return partner_views.partners(session, PAGE + 1, search=search, after=after, by_name=True)

    found = await visit.call.read(query)
    last = found[PAGE - 1] if len(found) > PAGE else None
    following = encoded([last["name"], last["id"]]) if last else ""
    return record(
        "partners.html",
        status,
        visit,
        errors,
        partners=found[:PAGE],
        search=search,
        risks=list(Risk),
        classes=RECIPIENTS,
        following=address("/partners", q=search, after=following) if following else "",
    )


async def _one(visit: Visit) -> Response:
    return await shown(visit, 200)


async def shown(
    visit: Visit, status: int, errors: Mapping[str, str] | None = None, secret: str = ""
) -> Response:
    """One partner; `secret` is a token that was made just now, and is shown this once."""
    one = await visit.call.read(
        lambda s: partner_views.partner_view(s, partners.named(s, _which(visit)))
    )
    kind = RECIPIENTS.get(one["recipient_class"] or "")
    return record(
        "partner.html",
        status,
        visit,
        errors,
        partner=one,
        secret=secret,
        recipient_class=kind.label if kind else "",
    )


async def _add(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(
            NewPartner,
            name=visit.sent("name"),
            lei=visit.sent("lei") or None,
            parents=_parents(visit.sent("parents")),
            age_recipient=visit.sent("age_recipient") or None,
            recipient_class=visit.sent("recipient_class") or None,
            risk=visit.sent("risk") or Risk.STANDARD,
        )
        answer = await partners.create(body, visit.call)
        return back_to(f"/partners/{partners.id_of(answer)}", "partner_added")

    return await tried(visit, "partners.create", act, lambda s, e: listed(visit, s, e))


def _parents(text: str) -> list[dict[str, Any]]:
    """Owners as they are typed, one a line: `Name; LEI; 60 %`, the last two if known."""
    found = []
    for line in lines(text):
        name, *rest = (part.strip() for part in line.split(";"))
        one: dict[str, Any] = {"name": name}
        for part in filter(None, rest):
            one |= {"share": _share(part)} if part.endswith("%") else {"lei": part}
        found.append(one)
    return found


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%").strip().replace(",", ".")) / 100
    except ValueError:
        raise bad_field("parents", f"{text} is not a share such as 60 %.") from None


async def _key(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(NewKey, key=visit.sent("key"), signatory=visit.sent("signatory"))
        await partner_keys.create(_which(visit), body, visit.call)
        return back_to(f"/partners/{_which(visit)}", "key_added")

    return await tried(visit, "partner_keys.create", act, lambda s, e: shown(visit, s, e))


async def _end_key(visit: Visit) -> Response:
    await partner_keys.revoke(_which(visit), visit.call.path_params["key_id"], visit.call)
    return back_to(f"/partners/{_which(visit)}", "key_ended")


async def _token(visit: Visit) -> Response:
    async def act() -> Response:
        body = made(NewToken, partner=_which(visit), role=Role.PARTNER)
        answer = await tokens.create(body, visit.call)
        return await shown(visit, 201, secret=tokens.secret_of(answer))

    return await tried(visit, "tokens.create", act, lambda s, e: shown(visit, s, e))


async def _end_token(visit: Visit) -> Response:
    await tokens.revoke(visit.call.path_params["token_id"], visit.call)
    return back_to(f"/partners/{_which(visit)}", "token_ended")


def _which(visit: Visit) -> str:
    name: str = visit.call.path_params["partner_id"]
    return name
