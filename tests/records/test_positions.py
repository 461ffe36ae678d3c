"""Sequences that only grow: they go on behind what four bytes hold."""

from sqlalchemy import text

from sharing.records import audit, events
from sharing.records.database import Database
from sharing.records.unit import Unit

FOUR_BYTES = 2**31 - 1


async def test_positions_go_on_behind_four_bytes(database: Database) -> None:
    """The log and the events do not end at 2,147,483,647, and nothing else ends with them."""

    def far(unit: Unit) -> None:
        unit.session.execute(text("UPDATE head SET position = :p"), {"p": FOUR_BYTES})

    def act(unit: Unit) -> None:
        unit.audit("per_1", "something.done")
        unit.tell("something.done", "per_1")

    await database.write(far)
    await database.write(act)
    assert await database.read(audit.head) == (
        FOUR_BYTES + 1,
        await database.read(lambda s: audit.page(s, FOUR_BYTES, 1)[0].hash),
    )
    assert (await database.read(lambda s: events.page(s, FOUR_BYTES, 1)))[0].position > FOUR_BYTES
