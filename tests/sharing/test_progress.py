"""Rates, time left and stalls, by the clock of a test."""

from datetime import UTC, datetime, timedelta

import pytest

from sharing.progress import Moved, Rate, is_stalled, rate, rounded, seconds_left

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def seconds(*counts: int) -> list[Moved]:
    """A worker that moved so many objects in each of the last seconds, the newest one last."""
    last = len(counts) - 1
    return [Moved(AT - SECOND * (last - i), 1.0, n, n * 10) for i, n in enumerate(counts)]


def test_a_rate_is_taken_over_the_last_ten_seconds() -> None:
    """What was moved longer ago does not count, and what came in fits and starts is evened out."""
    assert rate(seconds(*[1000] * 20, *[0, 200] * 5), AT) == Rate(100, 1000)


def test_workers_add_up() -> None:
    """Two workers that each move 50 objects a second move 100."""
    both = rate(seconds(*[50] * 10) + seconds(*[50] * 10), AT)
    assert both is not None
    assert both.objects == pytest.approx(100)


def test_a_short_time_is_measured_as_it_is() -> None:
    """After two seconds the rate is that of two seconds, not a fifth of it."""
    assert rate(seconds(100, 100), AT) == Rate(100, 1000)


@pytest.mark.parametrize("said", [[], [Moved(AT - 60 * SECOND, 1.0, 100, 1000)]])
def test_without_news_there_is_no_rate(said: list[Moved]) -> None:
    """Where nobody said anything of late nobody can tell how fast it goes, nor how long."""
    assert rate(said, AT) is None
    assert seconds_left(None, 1, 10) is None


def test_time_left_is_what_is_left_at_this_rate() -> None:
    """900 of 1,000 objects are left at 30 a second: 30 seconds. At a rate of 0, nobody knows."""
    assert seconds_left(Rate(30, 1), 100, 1000) == 30
    assert seconds_left(Rate(0, 0), 100, 1000) is None
    assert seconds_left(Rate(30, 1), 1100, 1000) == 0


@pytest.mark.parametrize(("ago", "stalled"), [(29, False), (30, False), (31, True)])
def test_thirty_seconds_without_a_sign_is_stalled(ago: int, stalled: bool) -> None:
    """The newest sign of life counts, whatever kind it is."""
    assert is_stalled([AT - 90 * SECOND, None, AT - ago * SECOND], AT) is stalled


def test_what_is_told_every_second_is_short() -> None:
    """Three digits that count."""
    assert [rounded(n) for n in (12345.6, 0.012345, 0)] == [12300, 0.0123, 0]
