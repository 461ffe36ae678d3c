"""The one writer: works share commits, fail alone, and are whole or absent."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Session, select

from sharing.errors import Refused
from sharing.records import audit, heads, notices
from sharing.records.audit import AuditEntry
from sharing.records.database import Database, StorageFailed
from sharing.records.events import Event
from sharing.records.heads import Head
from sharing.records.notices import Notice
from sharing.records.unit import Unit


def tell(name: str, unit: Unit) -> None:
    """A notice, an audit entry and an event, all named alike."""
    notices.add(unit.session, name, "1", "Text.", [], [])
    unit.audit("tester", name)
    unit.tell(name, name)


def told(session: Session) -> tuple[list[str], list[str], list[str]]:
    """Names of all notices, audit entries and events; positions must have no gaps."""
    entries = session.exec(select(AuditEntry).order_by(AuditEntry.position)).all()  # type: ignore[arg-type]
    happened = session.exec(select(Event).order_by(Event.position)).all()  # type: ignore[arg-type]
    for rows, head in ((entries, "audit"), (happened, "event")):
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        assert heads.position(session.connection(), head) == len(rows)
    assert audit.verify(session)[0] == len(entries)
    names = list(session.exec(select(Notice.name)))
    return sorted(names), sorted(e.action for e in entries), sorted(h.type for h in happened)


@pytest.fixture
async def outside(database_url: str) -> AsyncIterator[AsyncConnection]:
    """Another program's connection to the same database."""
    engine = create_async_engine(database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def test_works_fail_alone(database: Database) -> None:
    """Of a hundred works at once those that raise fail, nothing of them remains, and every other
    is there with its audit entry and its event."""

    def work(unit: Unit, number: int) -> int:
        tell(f"n{number:03}", unit)
        if number % 9 == 0:
            raise Refused("no", f"{number} is refused")
        if number % 10 == 0:  # the database itself says no: the notice before has this name
            unit.session.flush()
            tell(f"n{number:03}", unit)
        return number

    done = await asyncio.gather(
        *(database.write(lambda u, n=n: work(u, n)) for n in range(100)),  # type: ignore[misc]
        return_exceptions=True,
    )
    good = [n for n in range(100) if n % 9 and n % 10]
    assert [n for n in done if isinstance(n, int)] == good
    assert {n.code for n in done if isinstance(n, Refused)} == {"no", "storage_conflict"}
    names = [f"n{n:03}" for n in good]
    assert await database.read(told) == (names, names, names)


async def test_works_share_commits(database: Database) -> None:
    """A hundred works at once take far fewer transactions than a hundred: one `at` each."""
    await asyncio.gather(
        *(database.write(lambda u, n=n: tell(f"n{n:03}", u)) for n in range(100))  # type: ignore[misc]
    )
    moments = await database.read(lambda s: len(set(s.exec(select(AuditEntry.at)).all())))
    assert moments <= 10


async def failing(outside: AsyncConnection, table: str) -> None:
    """Makes every insert into a table fail from now on."""
    if outside.dialect.name == "sqlite":
        await outside.execute(text(
            f"CREATE TRIGGER down BEFORE INSERT ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'disk of the log is gone'); END"))  # fmt: skip
        return
    await outside.execute(text(
        "CREATE FUNCTION down() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'disk of the log is gone'; END $$"))  # fmt: skip
    await outside.execute(text(
        f"CREATE TRIGGER down BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION down()"
    ))  # fmt: skip


@pytest.mark.parametrize("table", ["audit_entry", "event"])
async def test_nothing_changes_without_its_entry(
    database: Database, outside: AsyncConnection, table: str
) -> None:
    """While the audit log or the events cannot be written, no change happens, and the caller is
    told; once they can be, the same work goes through (F14, I13)."""
    await database.write(lambda u: tell("before", u))
    await failing(outside, table)
    with pytest.raises(StorageFailed, match="disk of the log is gone"):
        await database.write(lambda u: tell("during", u))
    assert await database.read(told) == (["before"],) * 3
    on = "" if outside.dialect.name == "sqlite" else f" ON {table}"
    await outside.execute(text(f"DROP TRIGGER down{on}"))
    await database.write(lambda u: tell("during", u))
    assert await database.read(told) == (["before", "during"],) * 3


async def test_two_writers_lose_nothing(database: Database, database_url: str) -> None:
    """Two hundred increments by two programs on one database add up to two hundred, and their
    audit entries, mixed with two hundred others, follow each other without a gap."""

    def increment(unit: Unit) -> None:
        row = unit.session.get_one(Head, "counter", with_for_update=True)
        row.position += 1
        unit.audit("tester", "incremented")

    async def in_turn(one: Database, work: Callable[[Unit], None]) -> None:
        for _ in range(20):
            await one.write(work)

    await database.write(lambda u: u.session.add(Head(name="counter", position=0)))
    async with Database(database_url) as other:
        await asyncio.gather(*(
            in_turn(one, work)
            for _ in range(5)
            for one in (database, other)
            for work in (increment, lambda unit: unit.audit("tester", "looked"))
        ))  # fmt: skip
    assert await database.read(lambda s: heads.position(s.connection(), "counter")) == 200
    assert await database.read(audit.verify) == (400, (await database.read(audit.head))[1])


async def test_a_lock_held_elsewhere_is_waited_for(
    database: Database, outside: AsyncConnection
) -> None:
    """A work that meets another program's lock waits for it, and then goes through."""
    sqlite = outside.dialect.name == "sqlite"
    await outside.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN")
    await outside.execute(text("UPDATE head SET position = position WHERE name = 'audit'"))
    waiting = asyncio.create_task(database.write(lambda u: tell("late", u)))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await outside.exec_driver_sql("COMMIT")
    await waiting
    assert await database.read(told) == (["late"],) * 3


async def test_a_deadlock_is_tried_again(postgresql_url: str) -> None:
    """Of two programs that wait for each other PostgreSQL stops one; our work goes through."""

    def in_order(unit: Unit) -> None:
        for name in ("consent", "event"):
            unit.session.get_one(Head, name, with_for_update=True)
        unit.audit("tester", "went through")

    hold = text("UPDATE head SET position = position WHERE name = :name")
    engine = create_async_engine(postgresql_url, poolclass=NullPool)
    async with Database(postgresql_url) as database, engine.connect() as outside:
        await outside.execute(hold, {"name": "event"})
        ours = asyncio.create_task(database.write(in_order))
        await asyncio.sleep(0.2)
        theirs = asyncio.create_task(outside.execute(hold, {"name": "consent"}))
        await asyncio.wait([theirs])
        await (outside.commit() if theirs.exception() is None else outside.rollback())
        await ours
        assert (await database.read(audit.head))[0] == 1
    await engine.dispose()


async def test_a_cancelled_waiter_harms_nobody(database: Database) -> None:
    """Who stops waiting for a work leaves the writer and the other works unharmed."""
    tasks = [
        asyncio.create_task(database.write(lambda u, n=n: tell(f"n{n}", u)))  # type: ignore[misc]
        for n in range(6)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await database.write(lambda u: tell("after", u))
    names, entries, happened = await database.read(told)
    assert names == entries == happened
    assert {"after", "n1", "n3", "n5"} <= set(names)


async def test_a_full_disk_is_told_and_survived(sqlite_url: str) -> None:
    """On a full disk a work fails with StorageFailed and leaves nothing; with room it goes on."""

    def limit(unit: Unit, pages: int) -> int:
        held = unit.session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        unit.session.connection().exec_driver_sql(f"PRAGMA max_page_count = {held + pages}")
        return int(held)

    def big(unit: Unit) -> None:
        notices.add(unit.session, "big", "1", "x" * 500_000, [], [])
        unit.audit("tester", "big")

    async with Database(sqlite_url) as database:
        await database.write(lambda u: limit(u, 5))
        with pytest.raises(StorageFailed, match="full"):
            await database.write(big)
        assert await database.read(told) == ([], [], [])
        await database.write(lambda u: limit(u, 100_000))
        await database.write(big)
        assert await database.read(told) == (["big"], ["big"], [])


async def test_a_lost_connection_is_made_again(postgresql_url: str) -> None:
    """After the server dropped every connection the next read and the next write go through."""
    drop = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
    engine = create_async_engine(postgresql_url, poolclass=NullPool)
    async with Database(postgresql_url) as database, engine.connect() as outside:
        for attempt in ("first", "second"):
            await database.write(lambda u, name=attempt: tell(name, u))  # type: ignore[misc]
            await outside.execute(drop)
            assert await database.read(audit.verify)
            await outside.execute(drop)
        await database.write(lambda u: tell("third", u))
        assert await database.read(told) == (["first", "second", "third"],) * 3
    await engine.dispose()


async def test_a_database_that_is_not_there_is_told() -> None:
    """Where no server answers, reads and writes raise StorageFailed instead of the driver's own."""
    async with Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as database:
        with pytest.raises(StorageFailed, match="cannot be reached"):
            await database.write(lambda u: tell("lost", u))
        with pytest.raises(StorageFailed, match="cannot be reached"):
            await database.read(lambda s: audit.head(s))


async def test_a_closed_database_says_so(sqlite_url: str) -> None:
    """A work for a database that was never started, or was closed, is refused and never waits."""
    database = Database(sqlite_url)
    with pytest.raises(StorageFailed, match="not open"):
        await asyncio.wait_for(database.write(lambda u: tell("early", u)), 60)
    await database.start()
    handed_in = asyncio.create_task(database.write(lambda u: tell("in time", u)))
    await asyncio.sleep(0)
    await database.close()
    await asyncio.wait_for(handed_in, 60)
    with pytest.raises(StorageFailed, match="not open"):
        await asyncio.wait_for(database.write(lambda u: tell("late", u)), 60)
    async with Database(sqlite_url) as again:
        assert await again.read(told) == (["in time"],) * 3


async def test_reading_changes_nothing(database: Database) -> None:
    """What a question writes by mistake is not there afterwards."""

    def careless(session: Session) -> None:
        notices.add(session, "careless", "1", "Text.", [], [])
        session.flush()

    await database.read(careless)
    assert await database.read(told) == ([], [], [])
