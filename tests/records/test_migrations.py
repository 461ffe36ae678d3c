"""The schema: up, down and up again with data in it, and the same as the tables in the code."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sharing.records import agreements, audit
from sharing.records.database import Database
from sharing.records.migrate import configuration, migrate
from sharing.records.schema import METADATA
from sharing.stages import GATES
from tests.records.desk import at_desk
from tests.records.refusals import record
from tests.signing import signatory


async def seen(database_url: str, query: Callable[[Connection], Any]) -> Any:
    """What a query finds, past all our code."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(query)
    await engine.dispose()
    return found


async def down(database_url: str, revision: str) -> None:
    """Takes the schema back."""
    await asyncio.to_thread(command.downgrade, configuration(database_url), revision)


async def up(database_url: str, revision: str = "head") -> None:
    """Brings the schema forward."""
    await asyncio.to_thread(migrate, database_url, revision)


def tables(connection: Connection) -> set[str]:
    """The tables that are there."""
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def guards(connection: Connection) -> set[str]:
    """The triggers that are there."""
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    postgresql = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    query = sqlite if connection.dialect.name == "sqlite" else postgresql
    return set(connection.execute(text(query)).scalars())


def functions(connection: Connection) -> set[str]:
    """Functions of our own; SQLite has none."""
    if connection.dialect.name == "sqlite":
        return set()
    query = "SELECT proname FROM pg_proc WHERE proname LIKE 'clearance%'"
    return set(connection.execute(text(query)).scalars())


async def test_schema_is_the_one_in_the_code(database_url: str) -> None:
    """Between the migrated schema and the tables in the code Alembic finds no difference."""

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    assert await seen(database_url, differences) == []


async def test_checks_and_foreign_keys_are_there(database_url: str) -> None:
    """What Alembic does not compare: every check and foreign key of the code is in the schema."""

    def missing(connection: Connection) -> list[str]:
        there = inspect(connection)
        found = {
            one["name"]
            for table in METADATA.tables
            for one in (*there.get_check_constraints(table), *there.get_foreign_keys(table))
        }
        wanted = {str(key.name) for table in METADATA.tables.values()
                  for key in (*table.foreign_key_constraints, *table.constraints)
                  if key.name and str(key.name).startswith(("fk_", "ck_"))}  # fmt: skip
        assert len(wanted) > 30
        return sorted(wanted - found)

    assert await seen(database_url, missing) == []


async def test_down_to_nothing_and_up_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """With data in it the schema goes down to nothing, leaving no table, trigger or function, and
    comes up again the same."""
    desk = await at_desk(database, tmp_path)
    await desk.cleared()
    await database.close()
    before = [await seen(database_url, look) for look in (tables, guards, functions)]
    await down(database_url, "base")
    assert [await seen(database_url, look) for look in (tables, guards, functions)] == [set()] * 3
    await up(database_url)
    assert [await seen(database_url, look) for look in (tables, guards, functions)] == before


async def test_guards_come_back_over_data(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Guards that are taken down and put up again over data leave it whole: the log verifies, the
    next entries follow behind it, and nothing of it can be changed."""
    desk = await at_desk(database, tmp_path)
    await desk.cleared()
    written, last = await database.read(audit.verify)
    await database.close()
    await down(database_url, "0001")
    assert await seen(database_url, guards) == set()
    await up(database_url)
    await database.start()
    assert await database.read(audit.verify) == (written, last)
    request, _ = await desk.cleared()
    assert (await desk.world.request(request)).state == "cleared"
    assert (await database.read(audit.verify))[0] > written
    with pytest.raises(DBAPIError, match="append-only"):
        await seen(database_url, lambda c: c.execute(text("DELETE FROM audit_entry")))


async def test_an_agreement_from_before_is_a_version_that_nobody_accepted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A request that waits for counsel when acceptances come goes on with the agreement that was
    drafted for it, and is not cleared by counsel alone."""
    desk = await at_desk(database, tmp_path)
    request, digest = await desk.submitted()
    await desk.passed(request, digest, *GATES[:3])
    await desk.opened(request, digest, GATES[3])
    await database.close()
    await down(database_url, "0004")
    await up(database_url)
    await database.start()
    version = await database.read(lambda s: agreements.versions(s, request, digest))
    assert [(one.number, one.made_by) for one in version] == [(1, None)]
    await desk.decided(request, digest, GATES[3])
    there = await signatory(desk.world)
    assert (await desk.world.request(request)).state == "legal_approval"
    await record(desk, await there.yes(request, digest))
    assert (await desk.world.request(request)).state == "cleared"


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """A database that is at the newest version already is left as it is."""
    before = await seen(database_url, guards)
    await up(database_url)
    assert await seen(database_url, guards) == before


async def test_two_that_migrate_at_once(database_url: str) -> None:
    """Two programs that bring one new database up at the same time both succeed."""
    await down(database_url, "base")
    code = "import sys; from sharing.records.migrate import migrate; migrate(sys.argv[1])"
    programs = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", code, database_url)
        for _ in range(2)
    ]
    assert [await program.wait() for program in programs] == [0, 0]
    assert await seen(database_url, tables) == set(METADATA.tables)


async def test_a_migration_that_fails_leaves_nothing(database_url: str) -> None:
    """A migration that meets an obstacle half-way leaves the schema as it was, and goes through
    once the obstacle is gone."""
    await down(database_url, "base")
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE unreadable_object (in_the_way integer)"))
    with pytest.raises(DBAPIError, match="already exists"):
        await up(database_url)
    assert await seen(database_url, tables) == {"unreadable_object"}
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE unreadable_object"))
    await engine.dispose()
    await up(database_url)
    assert await seen(database_url, tables) == set(METADATA.tables)


def test_versions_are_one_straight_line() -> None:
    """Every version but the first names one before it, and there is one newest."""
    scripts = ScriptDirectory.from_config(configuration("sqlite+aiosqlite://"))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
