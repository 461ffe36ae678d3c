"""Interests that become known, and second people for the roles of those who step aside."""

from datetime import date

from sharing.conflict import InterestKind, Organisation
from sharing.records import events, interests, late_interests, parties
from sharing.records.late_interests import Followed
from sharing.records.unit import Unit
from sharing.stages import Role
from tests.records.desk import Desk


async def known(
    desk: Desk,
    person: str,
    organisation: str = "Northlight Vision",
    kind: InterestKind = InterestKind.FUND,
) -> Followed:
    """A person (by id, or by role) turns out to have a tie to the partner; what comes of it."""
    who = desk.world.people.get(person, person)

    def work(unit: Unit) -> Followed:
        since, tie = date(2010, 1, 1), Organisation(organisation)
        interest = interests.declare(unit, who, tie, kind, since, None, "", who)
        return late_interests.follow(unit, interest, desk.world.people["conflict_officer"])

    return await desk.database.write(work)


async def another(desk: Desk, role: Role) -> str:
    """A second person with a role."""
    return await desk.database.write(
        lambda u: parties.add_person(u.session, "Another", f"another.{role}@example.org", [role]).id
    )


async def told(desk: Desk, request: str) -> list[str]:
    """The types of everything that happened to a request."""
    found = await desk.database.read(lambda s: list(events.of_request(s, request)))
    return [event.type for event in found]
