"""A partner's names are made with one key for good, whatever is put into the ring."""

from pathlib import Path

import pytest
from sqlmodel import Session

from sharing.errors import Refused
from sharing.export import releases, runs
from sharing.keyring import Keyring, key_id
from sharing.records import parties, pseudonym_keys
from sharing.records.database import Database
from sharing.records.unit import Unit
from tests.records.desk import Desk
from tests.records.exporting import exporting

FIRST, SECOND, THIRD = bytes(32), b"2" * 32, b"3" * 32


async def new_partner(database: Database, name: str) -> str:
    """A partner that has received nothing."""

    def work(unit: Unit) -> str:
        return parties.add_partner(unit.session, name, None, [], None).id

    return await database.write(work)


async def key_of(database: Database, partner: str, *ring: bytes) -> bytes:
    """The key that a partner's next names are made with, out of a ring with the newest first."""
    return await database.write(lambda u: pseudonym_keys.settle(u, partner, Keyring(list(ring))))


async def test_a_new_key_changes_no_partner_that_has_one(database: Database) -> None:
    """After a rotation a new partner gets the newest key, and an old one keeps its own."""
    old, new = [await new_partner(database, name) for name in ("Old", "New")]
    assert await key_of(database, old, FIRST) == FIRST
    assert await key_of(database, old, SECOND, FIRST) == FIRST
    assert await key_of(database, new, SECOND, FIRST) == SECOND
    assert await key_of(database, new, THIRD, SECOND, FIRST) == SECOND
    assert await database.read(lambda s: pseudonym_keys.of(s, old)) == key_id(FIRST)


async def test_a_lost_key_is_refused(database: Database) -> None:
    """Where the ring has lost a partner's key, nothing is named by another one instead."""
    partner = await new_partner(database, "Old")
    await key_of(database, partner, FIRST)
    with pytest.raises(Refused) as refused:
        await key_of(database, partner, SECOND)
    assert refused.value.code == "pseudonym_key_missing"


async def test_who_received_something_before_keys_were_recorded_keeps_the_oldest(
    desk: Desk, tmp_path: Path
) -> None:
    """A partner with a release and no recorded key is named by the oldest key: there was one."""
    run = await exporting(desk)
    await run.all_packed()
    await run.release(await run.attempt())
    database, partner = desk.database, desk.world.partner
    assert await key_of(database, partner, SECOND, FIRST) == FIRST


async def test_an_export_is_settled_before_it_is_planned(desk: Desk) -> None:
    """The key of an export's partner can be asked for by the export, before it has a shard."""
    run = await exporting(desk)
    ring = Keyring([SECOND, FIRST])
    database = desk.database
    assert await database.write(lambda u: pseudonym_keys.settle_for(u, run.export, ring)) == SECOND
    assert await database.read(lambda s: runs.planned(s, run.export)) is None

    def released(session: Session) -> bool:
        return releases.is_released(session, run.export)

    assert not await database.read(released)
