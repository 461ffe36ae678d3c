"""Who is meant by the sponsor that a partner names: by id, by e-mail address, or by a name."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from sharing.records.parties import Person


def named(session: Session, names: Collection[str]) -> dict[str, list[str]]:
    """Ids of the people whom partners may mean, by what they wrote: whoever has that id or e-mail
    address; otherwise everybody of that name, for a sponsor who decides is worse than a namesake
    who does not."""
    plain = {name: name.strip().lower() for name in names}
    known = session.exec(
        select(Person.id, Person.email, Person.name).where(
            or_(
                col(Person.id).in_(names),
                col(Person.email).in_(plain.values()),
                func.lower(Person.name).in_(plain.values()),
                col(Person.name).in_({name.strip() for name in names}),
            )
        )
    ).all()
    own = {key: who for who, email, _ in known for key in (who, email)}
    called: dict[str, list[str]] = {}
    for who, _, name in sorted(known):
        called.setdefault(name.lower(), []).append(who)
    found = {name: own.get(name) or own.get(plain[name]) for name in names}
    return {name: [who] if who else called.get(plain[name], []) for name, who in found.items()}


def meant(session: Session, name: str | None) -> list[str]:
    """Ids of the people who may be meant by one name."""
    return named(session, [name])[name] if name else []


def sponsor_id(found: Sequence[str], name: str | None) -> str | None:
    """The sponsor's id, also where the partner named an address that came on record only later;
    what the partner wrote where nobody here, or more than one, was found by that."""
    return found[0] if len(found) == 1 else name
