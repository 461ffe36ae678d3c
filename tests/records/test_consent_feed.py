"""The ledger follows a consent source in another process, and never believes a lie of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from sharing.consent_feed import Follower
from sharing.errors import NotYet
from sharing.records import audit, consent_sources
from sharing.records.audit import AuditEntry
from sharing.records.consent_sources import SourceState
from sharing.records.consents import Consent
from sharing.records.database import Database
from sharing.settings import Settings
from tests.feed import LIES
from tests.records.desk import Desk, at_desk
from tests.records.exporting import exporting
from tests.records.source import Elsewhere, elsewhere

A_MOMENT = timedelta(seconds=1)  # how long a source that lies is waited for
LONG = timedelta(minutes=1)  # and an honest one: other work may share this machine


@dataclass(slots=True)
class Followed:
    """A desk whose ledger follows a source."""

    desk: Desk
    source: Elsewhere
    settings: Settings

    @property
    def database(self) -> Database:
        """Where the ledger is."""
        return self.desk.database

    def follower(self, **changes: Any) -> Follower:
        """A process that follows."""
        return Follower(self.database, self.settings, **{"patience": LONG, **changes})

    async def ledger(self) -> list[tuple[str, str, str | None]]:
        """Subject, action and the source's own id of every event, in order."""
        query = select(Consent.subject, Consent.action, Consent.source_id)
        ordered = query.order_by(col(Consent.position))
        return await self.database.read(lambda s: [tuple(row) for row in s.execute(ordered)])

    async def state(self) -> SourceState:
        """Where we are in the feed."""
        return await self.database.read(lambda s: s.exec(select(SourceState)).one())

    async def forget_when(self) -> None:
        """The last complete answer was long ago."""

        def age(unit: Any) -> None:
            row = unit.session.exec(select(SourceState)).one()
            row.pulled_at -= timedelta(days=1)

        await self.database.write(age)

    async def log(self) -> list[str]:
        """What the audit log says of the source."""
        query = select(AuditEntry.action).where(AuditEntry.actor == consent_sources.FOLLOWER)
        return await self.database.read(lambda s: list(s.exec(query)))


@pytest.fixture
async def followed(database: Database, tmp_path: Path) -> AsyncIterator[Followed]:
    """A ledger that is empty, and a source elsewhere."""
    async with elsewhere() as source:
        desk = await at_desk(database, tmp_path)
        yield Followed(desk, source, replace(desk.settings, **source.settings))


async def test_events_come_in_once_and_in_order(followed: Followed) -> None:
    """What was said elsewhere is in our ledger, page by page, under the feed's name and ids."""
    for number in range(5):
        await followed.source.say(f"s{number}")
    await followed.follower(limit=2).up_to_date()
    assert await followed.ledger() == [(f"s{n}", "given", f"e{n}") for n in range(5)]
    state = await followed.state()
    assert (state.cursor, state.position) == (5, 5)
    assert await followed.database.read(lambda s: set(s.exec(select(Consent.source)))) == {
        state.name
    }
    await followed.database.read(audit.verify)


async def test_no_new_pull_while_the_last_is_fresh(followed: Followed) -> None:
    """Within the allowed age the feed is not asked again, however many ask the ledger at once."""
    follower = followed.follower()
    await asyncio.gather(*(follower.up_to_date() for _ in range(20)))
    assert await followed.source.asked() == 1
    await followed.source.say("s1")
    await followed.follower().up_to_date()  # another process: the ledger itself is the cache
    assert await followed.source.asked() == 1
    await followed.forget_when()
    await follower.up_to_date()
    assert await followed.ledger() == [("s1", "given", "e0")]


async def test_two_processes_at_once_append_once(followed: Followed) -> None:
    """Two that pull at the same time leave each event once."""
    for number in range(20):
        await followed.source.say(f"s{number:02}")
    await asyncio.gather(*(followed.follower(limit=3).up_to_date() for _ in range(4)))
    assert await followed.ledger() == [(f"s{n:02}", "given", f"e{n}") for n in range(20)]


@pytest.mark.parametrize("lie", LIES)
async def test_of_a_lie_nothing_is_applied(followed: Followed, lie: str) -> None:
    """Whatever is wrong with an answer: no event of it is in the ledger, nobody may be judged, and
    once the source is honest again it goes on where it was."""
    await followed.source.say("s0")
    await followed.follower().up_to_date()
    await followed.forget_when()
    await followed.source.say("s1", "withdrawn")
    before = await followed.state()
    await followed.source.lies(lie)
    with pytest.raises(NotYet) as caught:
        await followed.follower(patience=A_MOMENT).up_to_date()
    assert caught.value.code == "consent_source_stale"
    after = await followed.state()
    assert len(await followed.ledger()) == 1
    assert (after.cursor, after.pulled_at, after.trouble) == (
        1,
        before.pulled_at,
        str(caught.value),
    )
    await followed.source.honest()
    await followed.follower().up_to_date()
    assert [action for _, action, _ in await followed.ledger()] == ["given", "withdrawn"]
    assert (await followed.state()).trouble is None
    assert await followed.log() == [
        "consents.appended", "consent_source.lost", "consents.appended", "consent_source.back",
    ]  # fmt: skip


async def test_nobody_there_is_trouble_until_somebody_is(followed: Followed) -> None:
    """A source that is gone stops everything; when it is back, it goes on."""
    await followed.source.kill()
    for _ in range(2):
        with pytest.raises(NotYet, match="nothing answers at its address"):
            await followed.follower().up_to_date()
    await followed.source.start()
    await followed.follower().up_to_date()
    assert await followed.log() == ["consent_source.lost", "consent_source.back"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"source_id": None}, "source_id"),
        ({"notice_version": "9"}, "notice"),
        ({"recipient": "nobody"}, "recipient"),
        ({"purpose": "anything"}, "purpose"),
        ({"action": "maybe"}, "action"),
        ({"explicit": "yes"}, "explicit"),
        ({"at": "2999-01-01T00:00:00Z"}, "at"),
        ({"minor": 1}, "minor"),
        ({"secret-name": 1}, "one that is not known"),
    ],
)
async def test_an_event_that_nobody_may_send_stops_its_page(
    followed: Followed, change: dict[str, Any], field: str
) -> None:
    """What `POST /v1/consents` would refuse is refused of a feed too, with the good events around
    it; the reason names the field and nothing that the feed sent."""
    await followed.source.say("s0")
    await followed.source.say("s1", **change)
    with pytest.raises(NotYet, match=rf"event 2 .*: {field}\. ") as caught:
        await followed.follower().up_to_date()
    assert await followed.ledger() == []
    assert "secret-name" not in str(caught.value)


async def test_an_id_that_is_used_twice_stops_its_page(followed: Followed) -> None:
    """The same event again is known; the same id for something else is not applied."""
    await followed.source.say("s0", at="2026-01-01T00:00:00Z")
    await followed.source.say("s0", at="2026-01-01T00:00:00Z", source_id="e0")
    await followed.follower().up_to_date()
    assert await followed.ledger() == [("s0", "given", "e0")]
    await followed.forget_when()
    await followed.source.say("s0", "withdrawn", source_id="e0")
    with pytest.raises(NotYet, match="source_id of another event"):
        await followed.follower().up_to_date()
    assert len(await followed.ledger()) == 1


async def test_the_release_demands_a_fresh_ledger(followed: Followed) -> None:
    """In the transaction in which bytes leave: with an answer that is too old, nothing leaves."""
    export = await exporting(followed.desk)
    follower = followed.follower()
    await follower.up_to_date()
    await export.all_packed()
    run = await export.attempt()
    await followed.forget_when()
    with pytest.raises(NotYet, match="too old"):
        await export.release(run)
    assert await export.released() is None
    await follower.up_to_date()
    assert await export.release(run) is None
    assert await export.released() is not None


async def test_a_process_that_is_not_told_of_the_source_waits_too(followed: Followed) -> None:
    """What one process follows, another without its setting cannot overlook."""
    await followed.follower().begin()
    alone = Follower(followed.database, followed.desk.settings)
    with pytest.raises(NotYet, match="too old"):
        await alone.up_to_date()
    await followed.follower().up_to_date()
    await alone.up_to_date()


async def test_a_source_that_is_no_longer_followed_is_left(followed: Followed) -> None:
    """Where the setting is gone, the ledger stands alone again, and the audit log says so."""
    await followed.follower().up_to_date()
    alone = Follower(followed.database, followed.desk.settings)
    await alone.begin()
    await alone.up_to_date()
    assert await followed.log() == ["consent_source.left"]


async def test_following_brings_in_what_nobody_asked_for(followed: Followed) -> None:
    """In the background the ledger keeps up, also through trouble."""
    settings = replace(followed.settings, consent_source_seconds=0.2)
    follower = Follower(followed.database, settings, patience=LONG)
    await followed.source.lies("error")
    task = asyncio.create_task(follower.follow())
    try:
        await _until(followed, lambda log: "consent_source.lost" in log)
        await followed.source.say("s0")
        await followed.source.honest()
        await _until(followed, lambda log: "consents.appended" in log)
    finally:
        task.cancel()


async def _until(followed: Followed, there: Any) -> None:
    for _ in range(500):
        if there(await followed.log()):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await followed.log())
