"""`clearance token`: lets the first people in, directly on the database."""

import asyncio
import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.commands.telling import Spelt, out, settings_of, show_json
from api.told import WrongUsage
from sharing.errors import NotFound
from sharing.settings import Settings
from sharing.stages import Role

ACTOR = "command-line"  # how the audit log names whoever has this machine's database


def token(
    name: str,
    /,
    *,
    role: Spelt[Role],
    partner: str | None = None,
    subject: str | None = None,
    home: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """A bearer token for a person, a partner's client or a subject. It is shown once and stored
    hashed.

    Parameters
    ----------
    name
        The person's e-mail address, id or name; made if not on record yet.
    role
        What the token's holder may be.
    partner
        The partner's id, for --role partner.
    subject
        The subject as the ledger names it, for --role subject.
    home
        The folder that `clearance up` runs from, instead of CLEARANCE_HOME.
    json
        Answer with JSON.
    """
    secret = issue(settings_of(home), name, role, partner, subject)
    show_json({"token": secret}) if json else out().print(secret, markup=False)
    return 0


def issue(
    settings: Settings,
    name: str,
    role: Role,
    partner: str | None = None,
    subject: str | None = None,
) -> str:
    """A new token of `role`; its holder is made if need be. Raises Refused, WrongUsage."""
    return asyncio.run(issued(settings, name, role, partner, subject))


async def issued(
    settings: Settings,
    name: str,
    role: Role,
    partner: str | None = None,
    subject: str | None = None,
) -> str:
    """As `issue`, where an event loop is running already."""
    if (partner is not None) != (role is Role.PARTNER):
        raise WrongUsage("`--partner ID` belongs to `--role partner`, and only there.")
    if bool(subject) != (role is Role.SUBJECT):
        raise WrongUsage("`--subject ID` belongs to `--role subject`, and only there.")
    from sharing.records import parties
    from sharing.records.database import Database
    from sharing.records.unit import Unit

    def work(unit: Unit) -> str:
        if subject is not None:
            holder = parties.subject_id(subject)
            unit.audit(ACTOR, "token.issued", holder=holder, role=role.value)
            return parties.issue_token(unit.session, role, subject=subject)
        if partner is not None:
            if unit.session.get(parties.Partner, partner) is None:
                raise NotFound("partner", partner)
            unit.audit(ACTOR, "token.issued", holder=partner, role=role.value)
            return parties.issue_token(unit.session, role, partner_id=partner)
        person = parties.person_named(unit.session, name) or parties.person_named(
            unit.session, local_address(name)
        )
        if person is None:
            person = parties.add_person(unit.session, name, local_address(name), [role])
        parties.grant_roles(unit.session, person.id, [role])
        unit.audit(ACTOR, "token.issued", holder=person.id, role=role.value)
        return parties.issue_token(unit.session, role, person_id=person.id)

    async with Database(settings.database_url) as database:
        return await database.write(work)


def local_address(name: str) -> str:
    """An e-mail address as it is, or one on this machine made from a name."""
    if "@" in name:
        return name
    return re.sub(r"[^\w]+", ".", name.casefold()).strip(".") + "@localhost"
