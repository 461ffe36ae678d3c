"""Lists go in as rows went in before: the same values, on both kinds of database."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import text
from sqlmodel import insert, select

from sharing.records import ledger, lists
from sharing.records.consents import TABLE, UNSAID, Consent
from sharing.records.database import Database
from sharing.records.unit import Unit

MOMENTS = (
    datetime(2020, 1, 2, tzinfo=UTC),
    datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-7))),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
WORDS = ("a", 'It\'s "so", {} [] \\ 100 %s :x ?', "ünïcödé ☃ 𝄞", "")


def rows() -> list[dict[str, Any]]:
    """Events with each kind of value that a column can have."""
    return [
        {**UNSAID, "position": n + 1, "subject": WORDS[n], "purpose": "p", "category": "c",
         "recipient": "*", "action": "given", "explicit": n % 2 == 0, "notice": "n",
         "notice_version": "1", "at": MOMENTS[n], "valid_until": MOMENTS[-n] if n else None,
         "source": WORDS[n], "recorded_at": MOMENTS[0], "evidence": WORDS[n],
         "minor": (None, True, False, None)[n]}
        for n in range(4)
    ]  # fmt: skip


async def test_lists_are_stored_as_rows_are(database: Database) -> None:
    """What is inserted as lists is stored exactly as what is inserted row by row."""

    def by(unit: Unit, how: str) -> list[tuple[Any, ...]]:
        session = unit.session
        point = session.begin_nested()
        if how == "rows":
            session.execute(insert(Consent), rows())
        else:
            columns = {name: [row[name] for row in rows()] for name in ledger.COLUMNS}
            lists.insert(session.connection(), TABLE, columns)
        raw = session.execute(text("SELECT * FROM consent_event ORDER BY position")).all()
        seen = session.exec(select(Consent.at, Consent.valid_until, Consent.minor)).all()
        point.rollback()
        return [tuple(row) for row in (*raw, *seen)]

    one = await database.write(lambda unit: by(unit, "rows"))
    assert await database.write(lambda unit: by(unit, "lists")) == one
    assert len(one) == 8


async def test_texts_are_found_among_many(database: Database) -> None:
    """Each text of a list is found, whatever is in it, and no other."""

    def find(unit: Unit) -> tuple[dict[str, int], set[str]]:
        connection = unit.session.connection()
        numbers = ledger.numbered(connection, [*WORDS, "b"])
        found = connection.execute(
            text(f"SELECT name FROM subject WHERE name {lists.among(connection, 'names')}"),
            {"names": lists.bound(connection, [*WORDS, "c", "100 %"])},
        )
        return numbers, set(found.scalars())

    numbers, found = await database.write(find)
    assert found == set(WORDS)
    assert list(numbers.values()) == [0, 1, 2, 3, 4]
    assert (
        await database.write(lambda u: ledger.numbered(u.session.connection(), ["b", *WORDS]))
        == numbers
    )
