"""Whole lists of values in one statement, on both kinds of database."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
import json
from collections.abc import Sequence

from sqlalchemy import Connection

AT_ONCE = 10_000


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
