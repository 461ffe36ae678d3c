"""Interests, the declarations behind decisions, and recusals."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, insert, select

from sharing.conflict import Interest, InterestKind, Match, Organisation, screen
from sharing.records.accounts import all_accounts
from sharing.records.parties import Partner, parents_of
from sharing.records.tables import new_id, now
from sharing.records.waivers import waived


class DeclaredInterest(SQLModel, table=True):
    """A dated tie between a person and an organisation."""

    __tablename__ = "interest"
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    organisation: str
    lei: str | None = None
    kind: str
    since: date
    until: date | None = None
    detail: str
    declared_by: str
    declared_at: datetime


_RECORD = insert(DeclaredInterest)


class Declaration(SQLModel, table=True):
    """A person's own dated statement of no interest in one request; every decision names one."""

    __tablename__ = "declaration"
    __table_args__ = (UniqueConstraint("id", "person_id"),)
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id")
    request_id: str = Field(foreign_key="request.id")
    at: datetime


class Recusal(SQLModel, table=True):
    """A person who must not act on a request, for one interest, unless that is waived."""

    __tablename__ = "recusal"
    request_id: str = Field(primary_key=True, foreign_key="request.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id")
    interest_id: str = Field(primary_key=True, foreign_key="interest.id")
    relation: str
    at: datetime


def declare(
    session: Session,
    person_id: str,
    organisation: Organisation,
    kind: InterestKind,
    since: date,
    until: date | None,
    detail: str,
    declared_by: str,
    at: datetime | None = None,
) -> Interest:
    """Records an interest. The caller then recuses that person where it matches."""
    interest = Interest(new_id("int"), person_id, organisation, kind, since, until)
    # Written as it is, without an object that the session would have to watch: half the time.
    session.connection().execute(
        _RECORD,
        {
            "id": interest.id,
            "person_id": person_id,
            "organisation": organisation.name,
            "lei": organisation.lei,
            "kind": kind,
            "since": since,
            "until": until,
            "detail": detail,
            "declared_by": declared_by,
            "declared_at": at or now(),
        },
    )
    return interest


def matches(session: Session, partner_id: str, person_id: str | None = None) -> list[Match]:
    """Interests held today that lead to a partner or its parents; of one person if given."""
    statement = select(DeclaredInterest).order_by(col(DeclaredInterest.id))
    if person_id is not None:
        statement = statement.where(DeclaredInterest.person_id == person_id)
    return _leading(session, map(value, session.exec(statement)), partner_id)


def _leading(session: Session, held: Iterable[Interest], partner_id: str) -> list[Match]:
    partner = session.get_one(Partner, partner_id)
    return screen(
        held,
        Organisation(partner.name, partner.lei),
        parents_of(session, partner_id),
        now().date(),
    )


def held(session: Session, person_id: str) -> list[Interest]:
    """A person's declared interests that count today."""
    rows = session.exec(select(DeclaredInterest).where(DeclaredInterest.person_id == person_id))
    return [one for one in map(value, rows) if one.counts_on(now().date())]


def recuse(session: Session, request_id: str, found: Iterable[Match]) -> list[str]:
    """Writes a recusal for each interest that has none yet; returns the ids of those people who
    were not recused before."""
    known = set(
        session.exec(
            select(Recusal.person_id, Recusal.interest_id).where(Recusal.request_id == request_id)
        )
    )
    before = recused_from(session, request_id)
    for match in found:
        interest = match.interest
        if (interest.person_id, interest.id) not in known:
            known.add((interest.person_id, interest.id))
            session.add(
                Recusal(
                    request_id=request_id,
                    person_id=interest.person_id,
                    at=now(),
                    interest_id=interest.id,
                    relation=match.relation,
                )
            )
    session.flush()
    return sorted(recused_from(session, request_id) - before)


def recused_from(session: Session, request_id: str) -> frozenset[str]:
    """Ids of the people recused from a request, with every account they have. A waiver lifts the
    one interest that it names."""
    lifted = waived(session, request_id)
    rows = session.exec(
        select(Recusal.person_id, Recusal.interest_id).where(Recusal.request_id == request_id)
    )
    people = frozenset(person for person, interest in rows if (person, interest) not in lifted)
    return all_accounts(session, people)


def value(row: DeclaredInterest) -> Interest:
    """A recorded interest as the rules see it."""
    return Interest(
        row.id,
        row.person_id,
        Organisation(row.organisation, row.lei),
        InterestKind(row.kind),
        row.since,
        row.until,
    )
