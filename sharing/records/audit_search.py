"""Looking something up in the audit log: by who, what, about whom, when; and what was refused."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, or_
from sqlmodel import Session, col, func, select

from sharing.records.audit import AuditEntry

REFUSED = "refused."
REQUEST = "req_"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: by an actor's id; of an action, or of a family of them (`export` is every
    `export. ...`); about the one whose id is `about`; from a moment until another, which is not in
    it; only what was refused."""

    actor: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None
    refused: bool = False


def found(
    session: Session,
    wanted: Wanted,
    limit: int,
    *,
    after: int | None = None,
    before: int | None = None,
) -> list[AuditEntry]:
    """Entries behind a position, in their order; or, with `before`, those before it, the latest
    first."""
    place, statement = col(AuditEntry.position), select(AuditEntry).where(*_conditions(wanted))
    if before is not None:
        statement = statement.where(place < before).order_by(place.desc())
    else:
        statement = statement.where(place > (after or 0)).order_by(place)
    return list(session.exec(statement.limit(limit)))


def entry(session: Session, position: int) -> AuditEntry | None:
    """The entry at a position."""
    return session.get(AuditEntry, position)


def length(session: Session) -> int:
    """How many entries there are, for none is ever missing."""
    return session.exec(select(func.max(AuditEntry.position))).one() or 0


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    action, conditions = col(AuditEntry.action), []
    if wanted.actor:
        conditions.append(col(AuditEntry.actor) == wanted.actor)
    if wanted.action:
        family = action.startswith(f"{wanted.action.rstrip('.')}.", autoescape=True)
        conditions.append(or_(action == wanted.action, family))
    if wanted.about:
        conditions.append(_about(wanted.about))
    if wanted.since is not None:
        conditions.append(col(AuditEntry.at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(col(AuditEntry.at) < wanted.until)
    if wanted.refused:
        conditions.append(action.startswith(REFUSED, autoescape=True))
    return conditions


def _about(one: str) -> ColumnElement[bool]:
    """What an entry says of the same one: a request has a column of its own, everything else stands
    in the detail."""
    of_request = col(AuditEntry.request_id) == one
    if one.startswith(REQUEST):
        return of_request
    written = cast(col(AuditEntry.detail), String)
    return or_(of_request, written.contains(f'"{one}"', autoescape=True))
