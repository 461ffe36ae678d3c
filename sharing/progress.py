"""How fast an export moves and how long it will take: pure rules over what its workers said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=10)  # what a rate is measured over
QUIET = timedelta(seconds=30)  # no sign of life for longer: stalled


@dataclass(frozen=True, slots=True)
class Moved:
    """What one worker moved in the `seconds` before `at`."""

    at: datetime
    seconds: float
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Objects and bytes a second."""

    objects: float
    bytes: float


def rate(said: Iterable[Moved], at: datetime) -> Rate | None:
    """The rate over the last WINDOW, or over as much of it as there is; None where nothing was
    said in it."""
    recent = [one for one in said if at - one.at < WINDOW]
    if not recent:
        return None
    begun = min(one.at - timedelta(seconds=one.seconds) for one in recent)
    seconds = max(1.0, (at - max(begun, at - WINDOW)).total_seconds())
    return Rate(
        sum(one.objects for one in recent) / seconds, sum(one.bytes for one in recent) / seconds
    )


def seconds_left(rate: Rate | None, done: int, total: int) -> int | None:
    """How long the rest takes at this rate; None where nobody can tell."""
    if rate is None or rate.objects <= 0 or not total:
        return None
    return round(max(0, total - done) / rate.objects)


def is_stalled(signs: Sequence[datetime | None], at: datetime) -> bool:
    """True where the last sign of life is older than QUIET."""
    last = max((sign for sign in signs if sign is not None), default=None)
    return last is not None and at - last > QUIET


def rounded(number: float) -> float:
    """Three digits that count: what is told every second should be readable."""
    return float(f"{number:.3g}")
