"""Interests, the declarations behind decisions, and recusals."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.conflict import Interest, InterestKind, Match, Organisation, Screening
from sharing.errors import NotFound
from sharing.records import screenings
from sharing.records.accounts import all_accounts
from sharing.records.interest_ends import Ended, ends, over
from sharing.records.organisations import chunks
from sharing.records.parties import Partner, Person
from sharing.records.rows import Rows
from sharing.records.screenings import Stake, Stakes, Target, targets_of
from sharing.records.sponsors import meant
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.records.waivers import of_request, waived


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


_RECORD = Rows(DeclaredInterest)
_ROW: Any = DeclaredInterest


RECUSALS = text("SELECT person_id, interest_id FROM recusal WHERE request_id = :request")


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
    unit: Unit,
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
    unit.insert(
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


def matches(
    session: Session,
    partner_id: str,
    person_id: str | None = None,
    recipients: Sequence[str] = (),
) -> list[Match]:
    """Interests held today that lead to a partner, or to one of the onward recipients that a
    request of it names; of one person if given."""
    held = stakes(session, person_id)
    return _leading(session, held, {partner_id: _targets(session, partner_id, recipients)})[
        partner_id
    ]


def screened(session: Session, partner_id: str, recipients: Sequence[str]) -> Screening:
    """All that a conflict officer has to know of a request: matches, names that are only alike,
    and how much is known of the owners."""
    targets = _targets(session, partner_id, recipients)
    return screenings.screening(session, stakes(session), targets, now().date())


def get(session: Session, interest_id: str) -> Interest:
    """An interest by id, or NotFound."""
    row = session.get(DeclaredInterest, interest_id)
    if row is None:
        raise NotFound("interest", interest_id)
    return value(row, ends(session, [row.id]).get(row.id))


def stakes(session: Session, person_id: str | None = None) -> Stakes:
    """Every declared interest that counts today, or one person's, in the order of their ids."""
    row = _ROW
    statement = sqlalchemy.select(row.id, row.organisation, row.lei).where(
        sqlalchemy.or_(row.until.is_(None), row.until >= now().date()),
        ~over(row.id, now().date()),
    )
    if person_id is not None:
        statement = statement.where(row.person_id == person_id)
    found = session.connection().execute(statement.order_by(row.id)).all()
    return Stakes([Stake(*one) for one in found], lambda ids: _read(session, ids))


def _read(session: Session, interest_ids: Collection[str]) -> dict[str, Interest]:
    return {
        row.id: value(row)
        for chunk in chunks(sorted(interest_ids))
        for row in session.exec(select(DeclaredInterest).where(_ROW.id.in_(chunk)))
    }


def _stake(interest: Interest) -> Stakes:
    """One interest as the only one, if it counts today."""
    one = Stake(interest.id, interest.organisation.name, interest.organisation.lei)
    every = [one] if interest.counts_on(now().date()) else []
    return Stakes(every, lambda ids: {interest.id: interest} if interest.id in ids else {})


def _targets(session: Session, partner_id: str, recipients: Sequence[str]) -> list[Target]:
    partner = session.get_one(Partner, partner_id)
    return targets_of(Organisation(partner.name, partner.lei), recipients)


def _leading(
    session: Session, held: Stakes, asked: Mapping[str, Sequence[Target]]
) -> dict[str, list[Match]]:
    return screenings.matches(session, held, asked, now().date())


def held(session: Session, person_id: str) -> list[Interest]:
    """A person's declared interests that count today."""
    rows = session.exec(select(DeclaredInterest).where(DeclaredInterest.person_id == person_id))
    return _counting(session, list(rows))


def _counting(session: Session, rows: Sequence[DeclaredInterest]) -> list[Interest]:
    ended = ends(session, [row.id for row in rows])
    every = (value(row, ended.get(row.id)) for row in rows)
    return [one for one in every if one.counts_on(now().date())]


def not_known(session: Session, request_id: str, found: Iterable[Match]) -> list[Match]:
    """Those matches that recuse nobody from a request yet: one for each interest."""
    matches = list(found)
    known = set(_recusals(session, request_id)) if matches else set()
    new = {(m.interest.person_id, m.interest.id): m for m in reversed(matches)}
    return [match for pair, match in reversed(new.items()) if pair not in known]


def recuse(session: Session, request_id: str, found: Iterable[Match]) -> list[str]:
    """Writes a recusal for each interest that has none yet; returns the ids of those people who
    were not recused before."""
    matches = not_known(session, request_id, found)
    if not matches:
        return []
    before = recused_from(session, request_id)
    for match in matches:
        session.add(
            Recusal(
                request_id=request_id,
                person_id=match.interest.person_id,
                at=now(),
                interest_id=match.interest.id,
                relation=match.relation,
            )
        )
    session.flush()
    return sorted(recused_from(session, request_id) - before)


def concerned(connection: Connection) -> dict[str, list[Target]]:
    """Whom each request is about that is still open, or has been released."""
    rows = connection.exec_driver_sql(
        "SELECT r.id, p.name, p.lei, v.body FROM request r JOIN partner p ON p.id = r.partner_id "
        "JOIN revision v ON v.request_id = r.id AND v.number = r.revision "
        "WHERE r.ended_at IS NULL OR r.state IN ('delivered', 'closed') ORDER BY r.id"
    )
    return {
        request_id: targets_of(Organisation(name, lei), _body(body).get("onward_recipients", ()))
        for request_id, name, lei, body in rows
    }


def leading(
    session: Session, asked: Mapping[str, Sequence[Target]], interest: Interest | None = None
) -> dict[str, list[Match]]:
    """What leads to each of these requests: one interest, or every one that is declared."""
    return _leading(session, _stake(interest) if interest else stakes(session), asked)


def _body(body: Any) -> dict[str, Any]:
    """A revision's body; drivers give JSON as text."""
    found: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return found


def recused_from(session: Session, request_id: str) -> frozenset[str]:
    """Ids of the people recused from a request, with every account they have. A waiver lifts the
    one interest that it names."""
    rows = _recusals(session, request_id)
    passed_over = _lifted(session, request_id, rows)
    people = frozenset(who for who, what in rows
                       if (who, what) not in passed_over)  # fmt: skip
    return all_accounts(session, people)


def lifted(session: Session, request_id: str) -> set[tuple[str, str]]:
    """Pairs of person and interest that a waiver passes over, as it stands today."""
    return _lifted(session, request_id, _recusals(session, request_id))


def _lifted(
    session: Session, request_id: str, rows: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    if not rows or not of_request(session, request_id):
        return set()
    return waived(session, request_id, _interested(session, request_id, rows))


def _recusals(session: Session, request_id: str) -> list[tuple[str, str]]:
    session.flush()
    found = session.connection().execute(RECUSALS, {"request": request_id})
    return [(row[0], row[1]) for row in found]


def _interested(
    session: Session, request_id: str, recusals: Sequence[tuple[str, str]]
) -> frozenset[str]:
    """Who is too close to a request to stand behind a waiver: whoever has an interest, waived or
    not, the sponsor, and the partners' people, each with every account."""
    named = "SELECT sponsor FROM request WHERE id = :request"
    sponsor = session.connection().execute(text(named), {"request": request_id}).scalar()
    employed = session.exec(select(Person.id).where(col(Person.partner_id).is_not(None)))
    people = {person for person, _ in recusals} | set(employed) | set(meant(session, sponsor))
    return all_accounts(session, frozenset(people))


def value(row: DeclaredInterest, end: Ended | None = None) -> Interest:
    """A recorded interest as the rules see it, with what was said of its end."""
    until = row.until
    if end is not None:
        until = min(until, end.counts_until) if until else end.counts_until
    return Interest(
        row.id,
        row.person_id,
        Organisation(row.organisation, row.lei),
        InterestKind(row.kind),
        row.since,
        until,
    )
