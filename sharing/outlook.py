"""An outlook: how much of a scope consent would cover, told to a partner before it asks. Pure.

A partner may ask this of scopes that it thinks up, so an answer must not show any one person. Five
things see to that, each by itself and all of them together:

- people are counted, not objects, so that nobody with many photos weighs more than anybody else;
- a question is coarse: whole calendar years, and no limit on objects is in it (`widened`), so that
  two questions cannot differ by a few people that the asker chose;
- fewer than FEWEST people are not spoken of;
- an answer is one of BANDS quarters, whose edges are moved by `nudge`, which only the server knows
  and which differs from question to question: who changes their mind is seen only where the count
  stood exactly at an edge, and nobody outside knows where that is;
- the same question has the same answer for AGAIN_AFTER, and a partner may put only MOST different
  ones in that time (sharing.records.outlooks keeps both).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta

FEWEST = 50
BANDS = 4
SLACK = 0.05
MOST = 20
AGAIN_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Band:
    """From which part of the people on, and up to which, consent covers: the truth lies within."""

    low: float
    high: float


def widened(
    after: datetime | None, before: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """The whole calendar years (UTC) that a filter touches; where it has no bound, none."""
    first = None if after is None else datetime(after.year, 1, 1, tzinfo=UTC)
    if before is None:
        return first, None
    begins = datetime(before.year, 1, 1, tzinfo=UTC)
    if begins == before:
        return first, before
    return first, datetime(before.year + 1, 1, 1, tzinfo=UTC) if before.year < MAXYEAR else None


def band(covered: int, people: int, nudge: float) -> int | None:
    """In which quarter the covered part of `people` lies, from 0; None for too few people. `nudge`,
    from 0 to 1, moves the edges between the quarters by at most SLACK either way."""
    if people < FEWEST:
        return None
    moved = (2 * nudge - 1) * SLACK
    return sum(covered / people >= edge / BANDS + moved for edge in range(1, BANDS))


def told(number: int) -> Band:
    """What a band says: its quarter, and the slack on either side, for its edges are not known."""
    return Band(max(0.0, number / BANDS - SLACK), min(1.0, (number + 1) / BANDS + SLACK))


def objects(found: Band, asked: int) -> Mapping[str, int]:
    """The same of `asked` objects, if so many fit: round numbers, the lower one rounded down."""
    return {"at_least": _round(found.low * asked), "at_most": min(asked, _round_up(found, asked))}


def _round_up(found: Band, asked: int) -> int:
    most = found.high * asked
    down = _round(most)
    return down if down >= most else down + _step(most)


def _round(number: float) -> int:
    return int(number // _step(number)) * _step(number)


def _step(number: float) -> int:
    """Two digits count."""
    return int(10 ** max(0, len(str(int(number))) - 2))
