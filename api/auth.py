"""Who is calling, and what each role may call: one table, asked before a body is even read."""

import time
from collections.abc import Mapping

from starlette.requests import Request

from sharing.eligibility import WAIVE_ROLES
from sharing.errors import NotEligible, Refused
from sharing.records import parties
from sharing.records.database import Database
from sharing.records.parties import Principal, hashed
from sharing.stages import GATE_ROLES, STAFF, Role

# `__Host-`: only ever sent to this very host, over TLS (or on loopback), and never set by another.
SESSION_COOKIE = "__Host-clearance_session"
REMEMBER_SECONDS = 2.0
REMEMBER_AT_MOST = 10_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

ADMIN = frozenset({Role.ADMIN})
PARTNER = frozenset({Role.PARTNER})
SUBJECT = frozenset({Role.SUBJECT})
ENGINEER = frozenset({Role.ENGINEER})
OFFICER = frozenset({Role.CONFLICT_OFFICER})
GATEKEEPERS = frozenset(GATE_ROLES.values())
LOG_READERS = frozenset({Role.AUDITOR, Role.ADMIN})
READERS = STAFF | PARTNER
RECALL_READERS = (
    LOG_READERS
    | PARTNER
    | {
        Role.CONSENT_STEWARD,
        Role.LEGAL_COUNSEL,
        Role.ENGINEER,
    }
)
TRACERS = LOG_READERS | {Role.ENGINEER, Role.LEGAL_COUNSEL}
ANYONE = frozenset(Role)

# Every route by name, and the roles of which one is needed; None: no token is needed.
ALLOWED: Mapping[str, frozenset[Role] | None] = {
    "partners.create": ADMIN,
    "partners.list": STAFF,
    "partners.show": STAFF,
    "partner_keys.create": ADMIN,
    "partner_keys.list": READERS,
    "partner_keys.revoke": ADMIN,
    "people.create": ADMIN,
    "people.list": STAFF,
    "people.show": STAFF,
    "people.give": ADMIN,
    "people.take": ADMIN,
    "people.link": ADMIN,
    "tokens.create": ADMIN,
    "sign_in_links.create": ADMIN,
    "tokens.revoke": ADMIN,
    "policies.propose": ADMIN,
    "policies.approve": ADMIN,
    "policies.list": STAFF,
    "policies.show": STAFF,
    "policies.dry_run": STAFF,
    "datasets.create": ADMIN,
    "datasets.index": ADMIN,
    "datasets.list": READERS,
    "datasets.show": READERS,
    "notices.create": ADMIN,
    "notices.list": READERS,
    "notices.decide": frozenset({Role.CONSENT_STEWARD, Role.LEGAL_COUNSEL}),
    "notices.compatibility": STAFF,
    "consents.append": ADMIN | {Role.CONSENT_STEWARD},
    "interests.declare": STAFF,
    "interests.list": STAFF,
    "interests.end": STAFF,
    "interests.confirm_end": OFFICER,
    "interests.screening": OFFICER | {Role.AUDITOR},
    "interests.rule": frozenset({Role.CONFLICT_OFFICER}),
    "organisations.add": ADMIN | {Role.CONFLICT_OFFICER},
    "organisations.list": STAFF,
    "organisations.show": STAFF,
    "requests.screening": STAFF,
    "register.declare": STAFF,
    "register.list": STAFF,
    "waivers.ask": OFFICER,
    "waivers.agree": WAIVE_ROLES,
    "late_interests.look": OFFICER,
    "pressure_notes.add": STAFF,
    "pressure_notes.list": OFFICER | {Role.AUDITOR},
    "me.show": ANYONE,
    "me.consents": SUBJECT,
    "me.shares": SUBJECT,
    "me.give": SUBJECT,
    "me.withdraw": SUBJECT,
    "me.receipt": SUBJECT,
    "requests.submit": PARTNER,
    "requests.check": PARTNER,
    "requests.outlook": PARTNER,
    "drafts.create": PARTNER,
    "drafts.list": PARTNER,
    "drafts.show": PARTNER,
    "drafts.replace": PARTNER,
    "drafts.delete": PARTNER,
    "duties.list": PARTNER,
    "requests.list": READERS,
    "requests.show": READERS,
    "consent_reports.list": STAFF,
    "risks.list": STAFF,
    "comments.add": READERS,
    "comments.list": READERS,
    "previews.make": GATEKEEPERS,
    "previews.list": GATEKEEPERS,
    "previews.show": GATEKEEPERS,
    "requests.amend": PARTNER,
    "requests.withdraw": PARTNER,
    "requests.decide": STAFF,  # a policy may ask a gate for other roles too: eligibility judges
    "requests.take_back": STAFF,
    "requests.claim": GATEKEEPERS,
    "requests.release_claim": GATEKEEPERS | ADMIN,
    "requests.assign": GATEKEEPERS | ADMIN,
    "delegations.create": GATEKEEPERS | ADMIN,
    "delegations.revoke": GATEKEEPERS | ADMIN,
    "delegations.list": STAFF,
    "agreements.preview": PARTNER,
    "agreements.show": READERS,
    "agreements.add": frozenset({Role.LEGAL_COUNSEL}),
    "agreements.accept": PARTNER,
    "agreements.link": frozenset({Role.LEGAL_COUNSEL}),
    "reviews.list": STAFF,
    "exports.list": STAFF,
    "exports.shards": STAFF,
    "exports.throughput": STAFF,
    "exports.downloads": STAFF,
    "exports.trigger": ENGINEER,
    "exports.show": READERS,
    "exports.events": READERS,
    "exports.confirm": ENGINEER,
    "exports.cancel": ENGINEER | {Role.CONFLICT_OFFICER, Role.LEGAL_COUNSEL},
    "exports.pause": ENGINEER,
    "exports.resume": ENGINEER,
    "exports.limit": ENGINEER,
    "exports.dry_run": ENGINEER,
    "exports.package": PARTNER,
    "exports.acknowledge": PARTNER,
    "canaries.trace": TRACERS,
    "recalls.list": RECALL_READERS,
    "events.list": READERS,
    "audit.list": LOG_READERS,
    "audit.verify": LOG_READERS,
    "audit.note": LOG_READERS,
    "audit.noted": LOG_READERS,
    "audit.export": LOG_READERS,
    "audit.show": LOG_READERS,
    "upkeep.show": LOG_READERS,
    "packages.file": None,  # the signed link itself is the permission
    "packages.head": None,
    "public_register.list": None,
    "public_register.show": None,
    "keys.list": None,
    "keys.retire": ADMIN,
    "healthz": None,
    "readyz": None,
}

# Acts on a request: a wrong role is told as any other reason why this person may not act.
ACTS = frozenset({
    "requests.decide", "exports.trigger", "exports.confirm", "exports.cancel",
    "exports.pause", "exports.resume", "exports.limit",
})  # fmt: skip


class Doorkeeper:
    """Knows callers by their token or session, and remembers them for two seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Principal]] = {}

    async def caller(self, request: Request) -> Principal:
        """Who calls; raises Refused `unauthenticated`, or `cross_site` for a foreign page."""
        found = await self.known(request)
        if found is None:
            raise Refused(
                "unauthenticated",
                "Send `Authorization: Bearer <token>` with a token "
                "that is valid; `clearance token` makes one.",
            )
        if _secret(request)[1] and request.method not in SAFE_METHODS:
            demand_same_origin(request)
        return found

    async def known(self, request: Request) -> Principal | None:
        """Who calls, by bearer token or session cookie; None if nobody that we know."""
        secret, _ = _secret(request)
        return await self.holder(secret) if secret else None

    async def holder(self, secret: str) -> Principal | None:
        """Who holds this token, as of at most two seconds ago; None if nobody."""
        name, now = hashed(secret), time.monotonic()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        self._known.pop(name, None)
        found = await self._database.read(lambda session: parties.principal(session, secret))
        if found is not None:
            if len(self._known) >= REMEMBER_AT_MOST:
                self._known.clear()
            self._known[name] = (now + REMEMBER_SECONDS, found)
        return found

    def forget(self) -> None:
        """Asks the database again from now on."""
        self._known.clear()


def demand_allowed(route: str, role: Role) -> None:
    """Raises Refused unless the table lets this role call this route."""
    allowed = ALLOWED[route]
    if allowed is None or role in allowed:
        return
    names = " or ".join(sorted(allowed))
    if route in ACTS:
        raise NotEligible("role", f"This needs the role {names}; this token is for {role}.")
    raise Refused("forbidden", f"This needs the role {names}; this token is for {role}.")


def demand_same_origin(request: Request) -> None:
    """Raises Refused unless the browser says that our own page sent this."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site == "same-origin" if site is not None else origin == own:
        return
    raise Refused("cross_site", "A session cookie only works from Clearance's own pages.")


def _secret(request: Request) -> tuple[str | None, bool]:
    """The token, and whether it came as a cookie. A header that is there is the one that counts."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return (token.strip() if scheme.lower() == "bearer" else None), False
    return request.cookies.get(SESSION_COOKIE), True
