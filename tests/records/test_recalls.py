"""What went out comes back: recall items, opened in the transaction that ends a consent."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from sharing.errors import Refused
from sharing.export import releases, runs
from sharing.export.pack import ShardResult
from sharing.export.source import Unread
from sharing.records import audit, consents, events, recalling
from sharing.records.database import Database
from sharing.records.recalls import RecallItem
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.records.desk import at_desk
from tests.records.exporting import SEALED, Exporting, exporting


@pytest.fixture
async def packed(database: Database, tmp_path: Path) -> Exporting:
    """An export of s000 to s009, two objects each, with all its shards packed."""
    there = await exporting(await at_desk(database, tmp_path))
    await there.all_packed()
    return there


@pytest.fixture
async def out(packed: Exporting) -> Exporting:
    """The same, released."""
    assert await packed.release(await packed.attempt()) is None
    return packed


async def items(export: Exporting) -> list[tuple[str, str, int, int]]:
    """Subject, reason, position and objects of each item of an export."""
    rows = await export.desk.database.read(
        lambda s: s.exec(
            select(RecallItem)
            .where(RecallItem.export_id == export.export)
            .order_by(col(RecallItem.subject))
        ).all()
    )
    world = export.desk.world
    assert all((r.request_id, r.partner_id) == (export.request, world.partner) for r in rows)
    assert all(r.state == "open" for r in rows)
    return [(r.subject, r.reason, r.position, r.objects) for r in rows]


@pytest.mark.parametrize("action", ["withdrawn", "refused", "revoked", "invalidated", "expired"])
async def test_end_of_consent_after_release_opens_an_item(out: Exporting, action: str) -> None:
    """Whoever ends consent after the release has an item, with the event's position, the reason
    and the number of objects that went out (I10)."""
    position = await out.desk.world.say("s004", action)
    assert await items(out) == [("s004", action, position, 2)]


async def test_what_ended_before_the_release_is_no_recall(packed: Exporting) -> None:
    """Who withdrew before the release is in no package, and has nothing to call back, also when
    saying so once more after it."""
    await packed.desk.world.say("s004", "withdrawn")
    await packed.release(await packed.attempt())
    await packed.packed(1)
    assert await packed.release(await packed.attempt()) is None
    await packed.desk.world.say("s004", "withdrawn")
    await packed.desk.world.say("s003", "refused")
    assert [item[0] for item in await items(packed)] == ["s003"]


async def test_one_item_a_subject_and_export(out: Exporting) -> None:
    """A second end changes nothing of the item, and consent given again does not remove it."""
    position = await out.desk.world.say("s004", "withdrawn")
    await out.desk.world.say("s004", "refused")
    await out.desk.world.say("s004")
    await out.desk.world.say("s004", "withdrawn")
    assert await items(out) == [("s004", "withdrawn", position, 2)]


@pytest.mark.parametrize(
    "said",
    [
        {"purpose": "dpv:Marketing"},
        {"category": "pd:Age"},
        {"recipient": "ptr_other"},
        {"at": now() - timedelta(days=1)},  # said earlier than the yes that came in first
        {"action": "given"},
    ],
)
async def test_a_consent_that_still_holds_is_no_recall(out: Exporting, said: Any) -> None:
    """An end of something else, or one that a later yes has overtaken, opens nothing."""
    await out.desk.world.say("s004", **{"action": "withdrawn", **said})
    assert await items(out) == []


async def test_a_minor_is_called_back(out: Exporting) -> None:
    """Whoever turns out to be a minor has an item, whatever the event is about."""
    position = await out.desk.world.say("s004", purpose="dpv:Marketing", minor=True)
    assert await items(out) == [("s004", "jurisdiction", position, 2)]


async def test_a_consent_that_ran_out_is_called_back_only_by_a_word_about_it(
    packed: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent that ran out after the release opens an item once its subject withdraws it, and none
    when the subject withdraws something else."""
    world = packed.desk.world
    await world.say("s004", valid_until=now() + timedelta(hours=1))
    assert await packed.release(await packed.attempt()) is None
    monkeypatch.setattr("sharing.records.recalling.now", lambda: now() + timedelta(hours=2))
    await world.say("s004", "withdrawn", purpose="dpv:Marketing")
    assert await items(packed) == []
    await world.say("s004", "withdrawn")
    assert [item[0] for item in await items(packed)] == ["s004"]


async def test_unreadable_objects_did_not_go_out(database: Database, tmp_path: Path) -> None:
    """An object that could not be read is not called back; a subject with none left has no item."""
    there = await exporting(await at_desk(database, tmp_path))
    unread = {"s000/0.jpg", "s001/0.jpg", "s001/1.jpg"}
    for number in range(await there.planned(6)):
        fenced = await database.write(lambda u, n=number: runs.take_shard(u, there.export, n))  # type: ignore[misc]
        chosen = await database.read(lambda s, f=fenced: runs.choose(s, f))  # type: ignore[misc]
        missed = tuple(
            Unread(c.path, "It is damaged.") for c in chosen.candidates if c.path in unread
        )
        done = ShardResult(number, (), len(chosen.candidates), 1, "m", "x" * 64, missed)
        await database.write(lambda u, f=fenced, c=chosen, d=done: runs.commit_shard(u, f, c, d))  # type: ignore[misc]
    assert await there.release(await there.attempt()) is None
    for subject in ("s000", "s001", "s002"):
        await there.desk.world.say(subject, "withdrawn")
    assert [(i[0], i[3]) for i in await items(there)] == [("s000", 1), ("s002", 2)]


async def test_only_what_was_in_scope_is_called_back(database: Database, tmp_path: Path) -> None:
    """Objects behind the scope's limit never went out: their subjects have nothing to call back."""
    limited = {"scope": {"fields": ["photo"], "where": {}, "limit": 5}}
    there = await exporting(await at_desk(database, tmp_path), **limited)
    await there.all_packed()
    assert await there.release(await there.attempt()) is None
    for subject in ("s002", "s003"):
        await there.desk.world.say(subject, "withdrawn")
    assert [(i[0], i[3]) for i in await items(there)] == [("s002", 1)]


async def test_each_release_has_its_own_items(out: Exporting) -> None:
    """Who is in two releases has an item for each, by one event."""
    request, digest = await out.desk.cleared()
    second = Exporting(out.desk, request, digest, await out.desk.triggered(request, digest))
    await second.all_packed()
    assert await second.release(await second.attempt()) is None
    position = await out.desk.world.say("s004", "withdrawn")
    for export in (out, second):
        assert await items(export) == [("s004", "withdrawn", position, 2)]


async def test_many_at_once(out: Exporting) -> None:
    """A purge of everybody in one batch opens all items, with the last word of each subject, and
    tells it once, without a name."""
    database, at = out.desk.database, now()
    said = {"purpose": "ai:ModelTraining", "category": "pd:Picture", "recipient": "*",
            "explicit": True, "notice": "privacy", "notice_version": "1", "at": at,
            "source": "test"}  # fmt: skip
    batch = [
        {"subject": f"s{n:03}", "action": action, **said}
        for action in ("refused", "withdrawn")
        for n in range(12)
    ]
    last = await database.write(lambda u: consents.append(u, batch))
    found = await items(out)
    assert [(i[0], i[1], i[3]) for i in found] == [(f"s{n:03}", "withdrawn", 2) for n in range(10)]
    assert [i[2] for i in found] == [last - 11 + n for n in range(10)]
    told = await database.read(lambda s: list(events.of_request(s, out.request)))
    assert told[-1].type == "recall_item.opened"
    assert told[-1].subject == out.export
    assert told[-1].data == {"items": 10, "objects": 20, "reasons": {"withdrawn": 10}}
    entries = await database.read(lambda s: audit.page(s, 0, 10_000, out.request))
    assert entries[-1].action == "recall_item.opened"
    assert "s00" not in str([told[-1].data, entries[-1].detail])


async def test_no_end_of_consent_without_its_item(
    out: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the item cannot be recorded, the withdrawal is not recorded either, and its caller is
    told: one transaction, both or none."""

    def broken(*_: Any) -> None:
        raise Refused("storage_failed", "The disk is full.")

    monkeypatch.setattr(recalling, "_tell", broken)
    with pytest.raises(Refused, match="full"):
        await out.desk.world.say("s004", "withdrawn")
    assert await items(out) == []
    said = await out.desk.database.read(lambda s: consents.of_subjects(s, ["s004"]))
    assert [event.action for event in said["s004"]] == ["given"]


EVENT = {"subject": "s004", "purpose": "ai:ModelTraining", "category": "pd:Picture",
         "recipient": "*", "action": "withdrawn", "explicit": True, "notice": "privacy",
         "notice_version": "1", "source": "test"}  # fmt: skip


async def test_release_and_withdrawal_in_one_commit(packed: Exporting) -> None:
    """Also where both are recorded in one commit there is an order: what comes after the release is
    called back, what comes before holds it."""
    run = await packed.attempt()

    def both(unit: Unit) -> Any:
        stale = releases.release(unit, run, SEALED)
        unit.session.flush()
        return stale, consents.append(unit, [{**EVENT, "at": now()}])

    stale, position = await packed.desk.database.write(both)
    assert stale is None
    assert await items(packed) == [("s004", "withdrawn", position, 2)]


async def test_an_item_is_never_deleted(out: Exporting) -> None:
    """The database refuses to delete an item (I11)."""
    await out.desk.world.say("s004", "withdrawn")
    with pytest.raises(Refused, match=r"never deleted|append-only"):
        await out.desk.database.write(lambda u: u.session.execute(text("DELETE FROM recall_item")))
    assert len(await items(out)) == 1


async def test_a_shard_from_before_places_were_recorded(out: Exporting) -> None:
    """Where it was not recorded who is in a shard, everybody in its reach counts as in it."""
    await out.desk.database.write(
        lambda u: u.session.execute(text("UPDATE export_shard SET places = NULL"))
    )
    await out.desk.world.say("s004", "withdrawn")
    assert [(i[0], i[3]) for i in await items(out)] == [("s004", 2)]
