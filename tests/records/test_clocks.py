"""Export workers whose clock is wrong: less may go then, never more."""

from datetime import datetime, timedelta

import pytest

from sharing.errors import NotCleared
from sharing.export.releases import Stale
from sharing.records import clocks, exports
from sharing.records.tables import now
from sharing.records.unit import Unit
from tests.records.desk import Desk
from tests.records.exporting import exporting

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def set_clock(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    """From now on the worker's clock is wrong by so much."""

    def wrong() -> datetime:
        return now() + by

    patch.setattr(clocks, "now", wrong)


async def test_a_clock_set_back_brings_no_consent_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who consented until an hour ago stays out, though the worker's clock says two days ago."""
    there = await exporting(desk)
    await desk.world.say("s003", valid_until=now() - HOUR)
    await desk.world.say("s004", valid_until=now() + HOUR)
    set_clock(monkeypatch, -2 * DAY)
    inside = {c.subject for chosen in await there.all_packed() for c in chosen.candidates}
    assert "s003" not in inside
    assert "s004" in inside
    assert await there.release(await there.attempt()) is None


async def test_a_clock_set_back_after_packing_releases_nothing_that_ran_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent that ran out since its shard was packed holds the release of a worker whose clock was
    set back to before that."""
    there = await exporting(desk)
    await desk.world.say("s003", valid_until=now() + HOUR)
    await there.all_packed()

    def confirmed_later(unit: Unit) -> None:
        exports.get(unit.session, there.export).confirmed_at = now() + 2 * HOUR

    await desk.database.write(confirmed_later)
    set_clock(monkeypatch, -2 * DAY)
    assert await there.release(await there.attempt()) == Stale((1,))


async def test_a_clock_that_is_ahead_lets_less_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose clock is a year ahead finds the clearance run out, and does nothing."""
    there = await exporting(desk)
    set_clock(monkeypatch, 365 * DAY)
    with pytest.raises(NotCleared):
        await there.planned()
    assert await there.released() is None
