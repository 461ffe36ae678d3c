"""Works that share a transaction: rows that wait for one statement, and answers that are kept."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlmodel import Session, col, select

from sharing.conflict import Interest, InterestKind, Organisation
from sharing.errors import Refused
from sharing.records import interests, parties
from sharing.records.audit import AuditEntry
from sharing.records.database import Database
from sharing.records.events import Event
from sharing.records.interests import DeclaredInterest
from sharing.records.rows import Rows
from sharing.records.unit import Unit, together
from sharing.stages import Role

SINCE, UNTIL = date(2020, 1, 1), date(2031, 12, 31)
MOMENT = datetime(2026, 5, 4, 3, 2, 1, 123456, timezone(timedelta(hours=5)))


@pytest.fixture
async def officer(database: Database) -> str:
    """A person's id."""
    return await database.write(
        lambda u: parties.add_person(u.session, "O", "o@here", [Role.CONFLICT_OFFICER]).id
    )


def declared(unit: Unit, person: str, name: str) -> Interest:
    """An interest with its entry and its event, as the route records it."""
    found = interests.declare(
        unit, person, Organisation(name), InterestKind.EQUITY, SINCE, UNTIL, "Ünï", person, MOMENT
    )
    unit.audit(person, "interest.declared", interest=found.id)
    unit.tell("interest.declared", found.id, person=person, name=name)
    return found


def names(session: Session) -> list[str]:
    """The organisations of all interests, as the table has them."""
    return sorted(session.exec(select(DeclaredInterest.organisation)))


async def in_one(database: Database, *works: Callable[[Unit], Any]) -> list[Any]:
    """Runs works as one group, and commits them."""
    return await database._opened.writing(lambda connection: together(connection, works))


async def test_a_row_that_waited_is_the_row_that_was_given(
    database: Database, officer: str
) -> None:
    """An interest, its entry and its event read back as they were given: times in UTC, days,
    letters beyond ASCII, JSON, and what is absent."""
    [found] = await in_one(database, lambda u: declared(u, officer, "Å"))
    row = await database.read(lambda s: s.get_one(DeclaredInterest, found.id))
    assert (row.organisation, row.lei, row.kind, row.detail) == ("Å", None, "equity", "Ünï")
    assert (row.since, row.until, row.declared_at) == (SINCE, UNTIL, MOMENT.astimezone(UTC))
    event = await database.read(lambda s: s.exec(select(Event)).one())
    assert event.data == {"person": officer, "name": "Å"}
    assert event.partner_id is None
    entry = await database.read(
        lambda s: s.exec(select(AuditEntry).where(AuditEntry.actor == officer)).one()
    )
    assert entry.detail == {"interest": found.id}
    assert entry.at.utcoffset() == timedelta(0)


async def test_a_session_sees_the_rows_that_waited(database: Database, officer: str) -> None:
    """A work that opens a session sees what works before it in the group left to be written, and
    its own; the works behind it leave theirs again."""
    seen: list[list[str]] = []

    def look(unit: Unit) -> None:
        declared(unit, officer, "before the session")
        seen.append(names(unit.session))
        declared(unit, officer, "behind the session")
        seen.append(names(unit.session))

    await in_one(
        database, lambda u: declared(u, officer, "first"), look, lambda u: declared(u, officer, "z")
    )
    assert seen[-2:] == [
        ["before the session", "first"],
        ["before the session", "behind the session", "first"],
    ]
    assert await database.read(lambda s: len(names(s))) == 4


async def test_rows_that_wait_are_one_statement(
    database: Database, officer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty works that open no session are three statements: interests, events, entries."""
    written: list[int] = []
    write = Rows.write

    def counted(rows: Rows, connection: Connection, given: Any) -> None:
        written.append(len(given))
        write(rows, connection, given)

    monkeypatch.setattr(Rows, "write", counted)
    await in_one(database, *[lambda u: declared(u, officer, "same")] * 50)
    assert written == [50, 50, 50]


async def test_a_row_that_waited_fails_alone(database: Database, officer: str) -> None:
    """Of thirty interests declared at once, those of nobody are refused by the database when their
    rows are written at last; the others are there, each with its entry and its event."""
    done = await asyncio.gather(
        *(
            database.write(
                lambda u, n=n: declared(u, officer if n % 3 else "per_nobody", f"n{n:02}")  # type: ignore[misc]
            )
            for n in range(30)
        ),
        return_exceptions=True,
    )
    refused = [n for n, one in enumerate(done) if isinstance(one, Refused)]
    assert refused == [n for n in range(30) if n % 3 == 0]
    assert {one.code for one in done if isinstance(one, Refused)} == {"storage_conflict"}
    good = [f"n{n:02}" for n in range(30) if n % 3]
    assert await database.read(names) == good
    told = await database.read(lambda s: s.exec(select(Event).order_by(col(Event.position))).all())
    assert [event.data["name"] for event in told] == good
    entries = select(AuditEntry).where(AuditEntry.action == "interest.declared")
    assert len(await database.read(lambda s: s.exec(entries).all())) == len(good)


async def test_an_answer_is_kept_until_a_session_may_change_it(
    database: Database, officer: str
) -> None:
    """A question asked twice in a group goes to the database once, and again as soon as a session
    was opened; in an open session it is asked each time."""
    asked: list[int] = []

    def people(connection: Connection) -> int:
        asked.append(1)
        return int(connection.execute(text("SELECT count(*) FROM person")).scalar_one())

    def ask(unit: Unit) -> int:
        return unit.ask(people)

    def add(unit: Unit) -> int:
        parties.add_person(unit.session, "P", "p@here", [])
        return unit.ask(people) + unit.ask(people)

    assert await in_one(database, ask, ask, add, ask, ask) == [1, 1, 4, 2, 2]
    assert len(asked) == 4
