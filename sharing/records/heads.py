"""Gap-free positions: a row a sequence, taken inside the transaction that uses them."""

from sqlalchemy import Connection, text
from sqlmodel import Field, SQLModel

from sharing.records.tables import Position


class Head(SQLModel, table=True):
    """The last position given out of one sequence: audit, event, consent."""

    __tablename__ = "head"
    name: str = Field(primary_key=True)
    position: int = Field(default=0, sa_type=Position)


def take(connection: Connection, name: str, count: int) -> int:
    """Takes `count` positions and returns the first. Holds the row until the transaction ends,
    so positions are given in commit order and a rollback gives them back."""
    last = connection.execute(
        text("UPDATE head SET position = position + :count WHERE name = :name RETURNING position"),
        {"count": count, "name": name},
    ).scalar_one()
    return int(last) - count + 1


def position(connection: Connection, name: str, *, hold: bool = False) -> int:
    """The last position given out; with `hold`, none is given until this transaction ends."""
    if hold:
        return take(connection, name, 0) - 1
    return int(
        connection.execute(
            text("SELECT position FROM head WHERE name = :name"), {"name": name}
        ).scalar_one()
    )
