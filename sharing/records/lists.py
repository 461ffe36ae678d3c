"""Whole lists of values in one statement, on both kinds of database."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table
from sqlmodel.sql.sqltypes import UTCDateTime

from sharing.records.copying import copied
from sharing.records.tables import since_1970

AT_ONCE = 10_000
MANY = 100  # from here on a COPY is worth its two trips to the server


def among(connection: Connection, name: str) -> str:
    """SQL behind a column: its text is in the list bound to `name` by `bound`. One parameter for
    the whole list, so that a statement is read once however many values it is given."""
    if connection.dialect.name == "sqlite":
        return f"IN (SELECT value FROM json_each(:{name}))"
    return f"= ANY(CAST(:{name} AS text[]))"


def bound(connection: Connection, values: Sequence[str]) -> str | list[str]:
    """A list of texts as the parameter that `among` expects."""
    if connection.dialect.name == "sqlite":
        return json.dumps(values)
    return list(values)


def insert(connection: Connection, table: Table, lists: Mapping[str, Sequence[Any]]) -> None:
    """Inserts many rows, given as a list a column. What lies between a plain insert and the driver
    took four times as long as the driver; here are only texts, numbers, flags and moments."""
    lists = {name: column for name, column in lists.items() if _said(column)}
    names = ", ".join(lists)
    if connection.dialect.name == "sqlite":
        holes = ", ".join("?" * len(lists))
        rows = list(zip(*(_plain(table, *column) for column in lists.items()), strict=True))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({holes})", rows)
        return
    if len(next(iter(lists.values()))) >= MANY:
        copied(connection, table, list(lists), zip(*lists.values(), strict=True))
        return
    kinds = (table.columns[name].type.compile(connection.dialect) for name in lists)
    arrays = ", ".join(f"CAST(${n} AS {kind}[])" for n, kind in enumerate(kinds, 1))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})", tuple(lists.values())
    )


def _said(column: Sequence[Any]) -> bool:
    """False where it holds nothing at all: what is left out of the statement is NULL as well."""
    return column[0] is not None or column.count(None) < len(column)


def _plain(table: Table, name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Moments as SQLite keeps them; everything else as it is."""
    if not isinstance(table.columns[name].type, UTCDateTime):
        return values
    if all(value is values[0] for value in values):  # recorded at once, or none at all
        return [_text(values[0])] * len(values)
    if None in values:
        return [_text(value) for value in values]
    return _texts(values)


def _texts(moments: Sequence[datetime]) -> list[str]:
    """The same as `_text` for each, all at once: an append of consents is mostly moments."""
    since = np.array([since_1970(moment) for moment in moments], "datetime64[us]")
    texts = np.datetime_as_string(since, "us")
    texts.view("U1").reshape(len(moments), -1)[:, 10] = " "
    told: list[str] = texts.tolist()
    return told


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:26]  # without the zone
