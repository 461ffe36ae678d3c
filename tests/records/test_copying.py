"""Many rows at once: COPY on PostgreSQL says no, fails and comes back as any statement does."""

import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from sharing.errors import Refused
from sharing.records import consents, heads, ledger, lists
from sharing.records.database import Database
from sharing.records.lists import MANY
from sharing.records.unit import Unit
from tests.records.test_ledger import said

COUNT = MANY + 50


def many(**changes: Any) -> list[dict[str, Any]]:
    """Events of different subjects, more than are inserted row by row."""
    return [said(f"subject-{number}", **changes) for number in range(COUNT)]


def counted(session: Session) -> list[int]:
    """How many events there are, and how many subjects."""
    return [
        session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
        for table in ("consent_event", "subject")
    ]


async def test_many_are_as_one_by_one(database: Database) -> None:
    """Appended together, events are what they are appended one by one, what they leave unsaid
    included."""
    events = many()
    events[1] |= {"minor": False, "jurisdiction": "DE", "evidence": 'é\\"\t\n'}
    await database.write(lambda u: consents.append(u, events))
    for event in events:
        await database.write(lambda u, event=event: consents.append(u, [event]))  # type: ignore[misc]
    found = await database.read(lambda s: consents.of_subjects(s, [e["subject"] for e in events]))
    for one, other in found.values():
        assert (one.at, one.minor, one.jurisdiction) == (other.at, other.minor, other.jurisdiction)
    texts = text("SELECT evidence FROM consent_event WHERE evidence IS NOT NULL")
    assert await database.read(lambda s: s.execute(texts).scalars().all()) == ['é\\"\t\n'] * 2
    assert await database.read(counted) == [2 * COUNT, COUNT]


async def test_a_duplicate_among_many_is_refused_by_name(database: Database) -> None:
    """Where one of many rows is there already, none is written and the caller is told, without a
    value of any row."""
    with pytest.raises(Refused) as refused:
        await database.write(lambda u: consents.append(u, many(source_id="told-twice")))
    assert refused.value.code == "storage_conflict"
    assert "told-twice" not in f"{refused.value}{refused.value.__cause__}"
    assert await database.read(counted) == [0, 0]
    assert await database.read(lambda s: heads.position(s.connection(), "consent")) == 0


async def test_many_rows_begin_a_transaction(postgresql_url: str) -> None:
    """Rows copied before any other statement are taken back with the rest of their transaction."""

    def copy_then_fail(unit: Unit) -> None:
        names = [f"subject-{number}" for number in range(COUNT)]
        lists.insert(
            unit.session.connection(),
            ledger.Subject.__table__,  # type: ignore[attr-defined]
            {"number": range(COUNT), "name": names},
        )
        raise Refused("no", "Not today.")

    async with Database(postgresql_url) as database:
        with pytest.raises(Refused):
            await database.write(copy_then_fail)
        assert await database.read(counted) == [0, 0]


async def test_a_connection_lost_before_many_rows_is_made_again(postgresql_url: str) -> None:
    """Where the server drops the connection under a COPY, the whole work runs once more."""
    runs = list[int]()

    def append(unit: Unit) -> int:
        mine = unit.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        runs.append(mine)
        if len(runs) == 1:
            unit.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            time.sleep(1.5)  # the server hangs up meanwhile
        lists.insert(
            unit.session.connection(),
            ledger.Subject.__table__,  # type: ignore[attr-defined]
            {"number": range(COUNT), "name": [f"s{number}" for number in range(COUNT)]},
        )
        return int(mine)

    async with Database(postgresql_url) as database:
        await database.write(append)
        assert await database.read(counted) == [0, COUNT]
    assert len(runs) == 2
