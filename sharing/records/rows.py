"""Rows written many at a time, as the log, the events and whatever else arrives in numbers are."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Table
from sqlmodel import SQLModel, insert

Row = Mapping[str, Any]
Encoded = Callable[[Row], tuple[Any, ...]]


class Rows:
    """Inserts into one table. Each row names every column: no default is filled in.

    The statement and the types' ways of writing a value are looked up once for each kind of
    database; looked up for each row, they cost three times what the database does."""

    def __init__(self, table: type[SQLModel]) -> None:
        self._table = cast(Table, table.__table__)  # type: ignore[attr-defined]
        self._insert = insert(table)
        self._prepared: dict[str, tuple[str, Encoded]] = {}

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Writes them, in this order, by one statement."""
        dialect = connection.dialect
        if dialect.name not in self._prepared:
            self._prepared[dialect.name] = self._prepare(dialect)
        statement, encoded = self._prepared[dialect.name]
        connection.exec_driver_sql(statement, [encoded(row) for row in rows])

    def _prepare(self, dialect: Dialect) -> tuple[str, Encoded]:
        compiled = self._insert.compile(dialect=dialect)
        names = [str(name) for name in compiled.positiontup or ()]
        types = [self._table.c[name].type.dialect_impl(dialect) for name in names]
        processors = [kind.bind_processor(dialect) for kind in types]
        special = [(i, write) for i, write in enumerate(processors) if write is not None]
        picked = itemgetter(*names)

        def encoded(row: Row) -> tuple[Any, ...]:
            values = list(picked(row))
            for i, write in special:
                values[i] = write(values[i])
            return tuple(values)

        return compiled.string, encoded
