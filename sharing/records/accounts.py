"""Two accounts of one person: linked by an admin, and from then on their acts are one person's."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel

from sharing.errors import Refused
from sharing.records.tables import now

LINKS = "person_links"


class PersonLink(SQLModel, table=True):
    """`person_id` is another account of the person `same_as`, who is linked to nobody."""

    __tablename__ = "person_link"
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    same_as: str = Field(foreign_key="person.id", index=True)
    linked_by: str
    at: datetime


def link(session: Session, first: str, second: str, by: str) -> str | None:
    """Joins two accounts; returns the one that is now another account of the other's person, or
    None where they were one person already. Raises Refused where both have other accounts."""
    kept, joined = human(session, first), human(session, second)
    if kept == joined:
        return None
    if accounts(session, joined) != {joined}:
        kept, joined = joined, kept
    if accounts(session, joined) != {joined}:
        raise Refused(
            "storage_conflict",
            "Both have other accounts already: link those accounts one by one with one of the two.",
        )
    session.add(PersonLink(person_id=joined, same_as=kept, linked_by=by, at=now()))
    session.flush()
    session.info.pop(LINKS, None)
    return joined


def human(session: Session, person_id: str) -> str:
    """The one id that stands for a person, whichever account is named."""
    return _links(session).get(person_id, person_id)


def accounts(session: Session, person_id: str) -> frozenset[str]:
    """Every account of a person, the named one among them."""
    links = _links(session)
    first = links.get(person_id, person_id)
    return frozenset({first, *(one for one, same_as in links.items() if same_as == first)})


def all_accounts(session: Session, people: frozenset[str]) -> frozenset[str]:
    """Every account of several people."""
    return people.union(*(accounts(session, one) for one in people))


def _links(session: Session) -> dict[str, str]:
    """Every other account there is, and whose it is: few, and asked for again and again, so a
    session reads them once, past the mapper."""
    if LINKS not in session.info:
        rows = session.connection().exec_driver_sql("SELECT person_id, same_as FROM person_link")
        session.info[LINKS] = {row[0]: row[1] for row in rows}
    known: dict[str, str] = session.info[LINKS]
    return known
