"""An outlook says roughly how many agreed, and never what one person said."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.outlook import BANDS, FEWEST, SLACK, Band, band, objects, told, widened

PEOPLE = st.integers(FEWEST, 5000)
NUDGES = st.floats(0, 1)


@given(PEOPLE, st.floats(0, 1), NUDGES)
def test_what_is_told_is_true(people: int, part: float, nudge: float) -> None:
    """The true part of the people lies within what is told, wherever the edges are."""
    covered = round(part * people)
    number = band(covered, people, nudge)
    assert number is not None
    found = told(number)
    assert found.low - 1e-9 <= covered / people <= found.high + 1e-9


@given(PEOPLE, NUDGES)
def test_one_persons_word_shows_only_at_an_edge(people: int, nudge: float) -> None:
    """Of all counts there may be, one person more or less is seen at three at most: the edges."""
    bands = [band(covered, people, nudge) for covered in range(people + 1)]
    seen = sum(one != other for one, other in pairwise(bands))
    assert seen <= BANDS - 1


@given(st.integers(FEWEST, 400), st.data(), NUDGES, NUDGES)
def test_two_scopes_that_differ_by_one_person_do_not_tell_on_that_person(
    people: int, data: st.DataObject, one: float, other: float
) -> None:
    """Asked with and without somebody, the pair of answers is the same whether that person agreed
    or not, unless the larger scope stands at an edge that nobody outside knows."""
    covered = data.draw(st.integers(0, people))
    without = band(covered, people, one)
    yes, no = (band(covered + said, people + 1, other) for said in (1, 0))
    at_an_edge = yes != no
    assert ((without, yes) == (without, no)) is not at_an_edge
    edges = sum(
        band(c + 1, people + 1, other) != band(c, people + 1, other) for c in range(people + 1)
    )
    assert edges <= BANDS - 1


@pytest.mark.parametrize("people", range(FEWEST))
def test_few_people_are_not_spoken_of(people: int) -> None:
    """Below the fewest nothing is told, whatever they said."""
    assert {band(covered, people, 0.5) for covered in range(people + 1)} == {None}


def test_edges_differ_from_question_to_question() -> None:
    """The same count lies in one quarter or the next, by where the edges of the question are."""
    assert {band(50, 100, nudge) for nudge in (0.0, 1.0)} == {1, 2}
    assert {band(56, 100, nudge) for nudge in (0.0, 0.5, 1.0)} == {2}


@pytest.mark.parametrize(
    ("after", "before", "years"),
    [
        ("2014-05-03", None, (2014, None)),
        (None, "2014-01-01", (None, 2014)),
        (None, "2014-01-02", (None, 2015)),
        ("2014-05-03", "2014-05-04", (2014, 2015)),
        (None, None, (None, None)),
        ("0001-01-01", "9999-12-31", (1, None)),
        (None, "0001-01-01", (None, 1)),
    ],
)
def test_only_whole_years_are_counted(
    after: str | None, before: str | None, years: tuple[int | None, int | None]
) -> None:
    """A filter becomes the whole years that it touches, so that no day or hour can be asked for."""
    days = [datetime.fromisoformat(d).replace(tzinfo=UTC) if d else None for d in (after, before)]
    found = widened(*days)
    assert tuple(at and at.year for at in found) == years
    assert all(at is None or (at.month, at.day, at.hour) == (1, 1, 0) for at in found)


@given(st.integers(0, BANDS - 1), st.integers(1, 10**9))
def test_objects_are_round_and_true(number: int, asked: int) -> None:
    """As objects the range is no narrower, never above what is asked for, and two digits long."""
    found, of = told(number), asked
    view = objects(found, of)
    assert view["at_least"] <= found.low * of <= found.high * of <= view["at_most"] or (
        view["at_most"] == of
    )
    assert len(str(view["at_least"]).rstrip("0")) <= 2


def test_a_band_is_a_quarter_and_the_slack() -> None:
    """What is told is wider than a quarter by the slack on both sides."""
    assert told(1) == Band(0.25 - SLACK, 0.5 + SLACK)
    assert told(0) == Band(0.0, 0.25 + SLACK)
