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


async def test_a_clock_set_back_releases_nothing_that_has_run_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent that has run out by the time that others packed holds the release, though the clock
    of the worker that releases was set back since."""
    there = await exporting(desk)
    await desk.world.say("s003", valid_until=now() + HOUR)
    await there.all_packed()

    def later(unit: Unit) -> None:
        exports.shards_of(unit.session, there.export)[0].committed_at = now() + 2 * HOUR

    await desk.database.write(later)
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
