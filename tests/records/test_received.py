"""Who received a subject's data: each release that it is in, by which yes, and what came after."""

from pathlib import Path
from typing import Any

import pytest

from sharing.records import received
from sharing.records.consents import of_subjects
from sharing.records.database import Database
from tests.records.desk import at_desk
from tests.records.exporting import Exporting, exporting


@pytest.fixture
async def packed(database: Database, tmp_path: Path) -> Exporting:
    """An export of s000 to s009, two objects each, with all its shards packed."""
    there = await exporting(await at_desk(database, tmp_path))
    await there.all_packed()
    return there


async def shares(export: Exporting, subject: str) -> list[dict[str, Any]]:
    """What a subject is told of who received its data."""
    return await export.desk.database.read(lambda s: received.shares_of(s, subject))


async def test_nothing_is_received_before_the_release(packed: Exporting) -> None:
    """What is only staged is in nobody's hands."""
    assert await shares(packed, "s004") == []


async def test_a_share_names_who_what_for_and_by_which_yes(packed: Exporting) -> None:
    """After the release the share has its partner, purpose, objects and the yes that allowed it."""
    [said] = (await packed.desk.database.read(lambda s: of_subjects(s, ["s004"])))["s004"]
    assert await packed.release(await packed.attempt()) is None
    release = await packed.released()
    assert release is not None
    [share] = await shares(packed, "s004")
    assert (share["export"], share["request"]) == (packed.export, packed.request)
    assert (share["partner"], share["objects"]) == (packed.desk.world.partner, 2)
    assert share["released_at"] == release.released_at
    assert (share["keep_until"] - release.released_at).days >= 1
    assert share["consents"] == [said.position]
    assert share["recall"] is None


async def test_a_later_yes_is_not_taken_for_the_one_that_allowed_it(packed: Exporting) -> None:
    """A yes that came after the release is not what the release went by."""
    assert await packed.release(await packed.attempt()) is None
    before = (await shares(packed, "s004"))[0]["consents"]
    await packed.desk.world.say("s004")
    assert (await shares(packed, "s004"))[0]["consents"] == before


async def test_a_withdrawal_shows_on_the_share(packed: Exporting) -> None:
    """After a withdrawal the share says since when it must come back, by which event, and why."""
    assert await packed.release(await packed.attempt()) is None
    position = await packed.desk.world.say("s004", "withdrawn")
    [share] = await shares(packed, "s004")
    recall = share["recall"]
    assert (recall["state"], recall["reason"], recall["position"], recall["objects"]) == (
        "open", "withdrawn", position, 2,
    )  # fmt: skip
    assert (await shares(packed, "s005"))[0]["recall"] is None


async def test_who_was_left_out_received_nothing(packed: Exporting) -> None:
    """A subject whose objects stayed here, or who is not known at all, has no share."""
    await packed.desk.world.say("s004", "withdrawn")
    await packed.release(await packed.attempt())
    await packed.packed(1)
    assert await packed.release(await packed.attempt()) is None
    assert await shares(packed, "s004") == []
    assert await shares(packed, "nobody") == []
    assert len(await shares(packed, "s003")) == 1
