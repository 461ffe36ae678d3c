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
    """Everybody. `people` by name; `earlier` is another partner's id."""

    admin: Api
    partner: Player
    earlier: str
    people: dict[str, Player]


@asynccontextmanager
async def cast(url: str, admin_token: str) -> AsyncIterator[Cast]:
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
            email = f"{name.lower().replace(' ', '.')}@example.org"
            body = {"name": name, "email": email, "roles": [role]}
            person = await admin.post("/v1/people", body)
            token = await _token(admin, "person", person["id"], role)
            api = await stack.enter_async_context(Api(url, token))
            people[name] = Player(person["id"], name, role, api)
        yield Cast(admin, partner, str(earlier["id"]), people)


async def _token(admin: Api, kind: str, whose: str, role: Role) -> str:
    answer = await admin.post("/v1/tokens", {kind: whose, "role": role})
    return str(answer["token"])
