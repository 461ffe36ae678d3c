"""One-time sign-in links for the people of this machine, one a role; and for one of the people in
the data, if there are any."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from api.commands.token import ACTOR
from sharing.settings import Settings
from sharing.stages import GATE_ROLES, Role

if TYPE_CHECKING:
    from sharing.records.unit import Unit

VALID_FOR = timedelta(hours=12)
PARTNER = "Sample partner"
# A person in the data appears nowhere by what the ledger calls them.
SUBJECT = "Somebody in the data"
NO_SUBJECT = "nobody yet: import consents (`clearance consent import FILE`), then start again"
# Two engineers, as exports of special categories need a second one to confirm.
WHO: tuple[tuple[Role, str], ...] = (
    *((role, f"Local {role.value.replace('_', ' ')}") for role in GATE_ROLES.values()),
    (Role.ENGINEER, "Local engineer"),
    (Role.ENGINEER, "Second local engineer"),
    (Role.AUDITOR, "Local auditor"),
    (Role.ADMIN, "Local admin"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A link that signs one person, or a partner's client, in once."""

    role: Role
    name: str
    link: str


async def sign_in_links(settings: Settings) -> list[SignIn]:
    """A fresh link for each role: for whoever holds it, or for somebody made for it."""
    from sharing.records.database import Database

    async with Database(settings.database_url) as database:
        return await database.write(lambda unit: _links(unit, settings.api_url))


def _links(unit: "Unit", url: str) -> list[SignIn]:
    from sharing.records import parties, sign_ins

    def link(role: Role, name: str, named: str = "", **whose: str) -> SignIn:
        code = sign_ins.issue(unit.session, role, VALID_FOR, **whose)
        holder = named or "".join(whose.values())
        unit.audit(ACTOR, "sign_in.issued", holder=holder, role=role.value)
        return SignIn(role, name, f"{url}/sign-in/{code}")

    partner_id, partner = _partner(unit)
    links = [link(Role.PARTNER, partner, partner_id=partner_id)]
    taken: set[str] = set()
    for role, name in WHO:
        person_id, person = _person(unit, role, name, taken)
        taken.add(person_id)
        links.append(link(role, person, person_id=person_id))
    subject = _subject(unit)
    if subject is not None:
        named = parties.subject_id(subject)
        links.append(link(Role.SUBJECT, SUBJECT, named, subject=subject))
    return links


def _person(unit: "Unit", role: Role, name: str, taken: set[str]) -> tuple[str, str]:
    """Somebody who holds the role and is not among `taken`: no one acts twice on a request."""
    from sharing.records import holders, parties

    for person_id in holders.people_with(unit.session, role):
        person = unit.session.get(parties.Person, person_id)
        if person is not None and person_id not in taken:
            return person.id, person.name
    address = f"{name.casefold().replace(' ', '.')}@localhost"
    person = parties.person_named(unit.session, address)
    if person is None:
        person = parties.add_person(unit.session, name, address, [role])
    return person.id, person.name


def _subject(unit: "Unit") -> str | None:
    """The person in the data of whom the ledger heard last; None where it has heard of nobody."""
    from sqlmodel import col, select

    from sharing.records.consents import Consent

    last = select(Consent.subject).order_by(col(Consent.position).desc()).limit(1)
    return unit.session.exec(last).first()


def _partner(unit: "Unit") -> tuple[str, str]:
    from sqlmodel import col, select

    from sharing.records import parties

    first = select(parties.Partner).order_by(col(parties.Partner.created_at)).limit(1)
    partner = unit.session.exec(first).first() or parties.add_partner(
        unit.session, PARTNER, None, [], None
    )
    return partner.id, partner.name
