"""The people of the demo, all invented, and how they come into the system over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from api.http_client import Api
from sharing.stages import Role

PARTNER = "Northlight Vision"
PARENT = "Aurora Holdings"
EARLIER = "Harbour Analytics"  # a partner that some people said yes to, and that asks nothing here

STAFF: tuple[tuple[str, Role], ...] = (
    ("Amara Okafor", Role.PURPOSE_REVIEWER),
    ("Mateus Oliveira", Role.CONSENT_STEWARD),
    ("Ingrid Solheim", Role.CONFLICT_OFFICER),
    ("Yuki Tanaka", Role.CONFLICT_OFFICER),
    ("Leila Haddad", Role.LEGAL_COUNSEL),
    ("Priya Raman", Role.ENGINEER),
    ("Tomasz Nowak", Role.ENGINEER),
)


FOUNDER = "Erik Dahl"
EVERY_ROLE = tuple(dict.fromkeys(role for _, role in STAFF))


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with a token: a person inside, or the partner's client."""

    id: str
    name: str
    role: Role
    api: Api

    @property
    def title(self) -> str:
        """The role in words."""
        return self.role.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody. `people` by name; `earlier` is another partner's id; `founder` is one person, by
    the role in which he comes."""

    admin: Api
    partner: Player
    earlier: str
    people: dict[str, Player]
    founder: dict[Role, Player]


@asynccontextmanager
async def cast(url: str, admin_token: str, *, founder: bool = False) -> AsyncIterator[Cast]:
    """Registers partner and people as the admin, and gives each a token of their own."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(Api(url, admin_token))
        parents = [{"name": PARENT, "share": 0.62}]
        registered = await admin.post("/v1/partners", {"name": PARTNER, "parents": parents})
        token = await _token(admin, "partner", registered["id"], Role.PARTNER)
        api = await stack.enter_async_context(Api(url, token))
        partner = Player(registered["id"], PARTNER, Role.PARTNER, api)
        earlier = await admin.post("/v1/partners", {"name": EARLIER})
        people: dict[str, Player] = {}
        for name, role in STAFF:
            people |= {p.name: p for p in await _joined(stack, admin, url, name, (role,))}
        roles = EVERY_ROLE if founder else ()
        everything = await _joined(stack, admin, url, FOUNDER, roles) if roles else []
        in_role = {player.role: player for player in everything}
        yield Cast(admin, partner, str(earlier["id"]), people, in_role)


async def _joined(
    stack: AsyncExitStack, admin: Api, url: str, name: str, roles: tuple[Role, ...]
) -> list[Player]:
    """A person on record, once for each role held, with a token for each."""
    email = f"{name.lower().replace(' ', '.')}@example.org"
    person = await admin.post("/v1/people", {"name": name, "email": email, "roles": list(roles)})
    players = []
    for role in roles:
        token = await _token(admin, "person", person["id"], role)
        api = await stack.enter_async_context(Api(url, token))
        players.append(Player(person["id"], name, role, api))
    return players


async def _token(admin: Api, kind: str, whose: str, role: Role) -> str:
    answer = await admin.post("/v1/tokens", {kind: whose, "role": role})
    return str(answer["token"])
