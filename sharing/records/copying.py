"""Many rows at once into PostgreSQL by COPY, within SQLAlchemy's transaction.

SQLAlchemy knows no COPY, so the driver is asked itself, and its errors are named as SQLAlchemy
names those of a statement. COPY fires row triggers and checks constraints as an insert does."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.util.concurrency import await_

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def copied(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Copies rows, which have the columns `names`, into a table. Raises DBAPIError."""
    driver: Any = connection.connection.driver_connection
    if not driver.is_in_transaction():  # SQLAlchemy lets it begin with the first statement
        connection.exec_driver_sql("SELECT 1")
    try:
        await_(driver.copy_records_to_table(table.name, columns=names, records=rows))
    except _FAILURES as failure:
        raise _named(connection, table, failure, lost=driver.is_closed()) from None


def _named(connection: Connection, table: Table, failure: Exception, *, lost: bool) -> DBAPIError:
    """The failure under the name that it has where SQLAlchemy runs the statement; the driver's
    own text goes on with the values of the row, which must not get into logs (I25)."""
    if lost:
        connection.invalidate()
    duplicate = isinstance(failure, asyncpg.IntegrityConstraintViolationError)
    kind = IntegrityError if duplicate else DBAPIError
    said = failure.args[0] if failure.args else type(failure).__name__
    return kind(
        f"COPY {table.name}",
        None,
        Exception(str(said)),
        hide_parameters=True,
        connection_invalidated=lost,
    )
