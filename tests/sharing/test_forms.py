"""Forms of a column: what each makes of a value, and what it never lets through."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.forms import Kind, as_json, form, made


def hashed(text: str) -> str:
    """A keyed name for tests."""
    return f"<{text}>"


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        ("keep", "Porto", "Porto"),
        ("keep", math.nan, None),
        ("keep", math.inf, None),
        ("keep", None, None),
        ("drop", "Porto", None),
        ("hash", "a@b.example", "<a@b.example>"),
        ("hash", 7, "<7>"),
        ("hash", None, None),
        ("year", date(1984, 5, 17), 1984),
        ("year", "1984-05-17", 1984),
        ("year", " 1984-05-17T08:00:00 ", 1984),
        ("year", "17 May 1984", None),
        ("year", datetime(1999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), 2000),
        ("decade", date(1984, 5, 17), 1980),
        ("decade", 37, 30),
        ("decade", 39.9, 30),
        ("decade", True, None),
        ("region-2", " 4050-123", "40"),
        ("region-2", "", None),
        ("round-1000", 41_499, 41_000),
        ("round-1000", 41_500, 42_000),
        ("round-1000", -1_499.0, -1_000),
        ("round-1000", 1e300, None),
        ("coarse-1", 59.912345, 59.9),
        ("coarse-1", -0.01, 0.0),
        ("coarse-0", 59.6, 60.0),
    ],
)
def test_what_a_form_makes(wanted: str, value: Any, expected: Any) -> None:
    """Each form makes of a value what its word says, and null where it cannot."""
    found = made(form(wanted), value, hashed)
    assert (found, type(found)) == (expected, type(expected))
    assert str(form(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("month", "Use one of keep, drop, hash"),
        ("year-2", "takes no number"),
        ("region", "a number from 1 to 20"),
        ("region-21", "a number from 1 to 20"),
        ("round-1", "a number from 2"),
        ("coarse-3", "a number from 0 to 2"),
        ("coarse-01", "no form"),
        ("Keep", "no form"),
        ("keep\n", "no form"),
        ("", "no form"),
    ],
)
def test_what_is_no_form(text: str, cure: str) -> None:
    """A word that names no form is refused with what would be accepted."""
    with pytest.raises(ValueError, match=cure):
        form(text)


VALUES = st.one_of(
    st.none(), st.text(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.dates(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip


@given(VALUES, st.sampled_from(["year", "decade", "region-3", "round-10", "coarse-1"]))
def test_a_coarser_form_never_tells_the_value(value: Any, wanted: str) -> None:
    """Whatever a value is, a coarser form makes something that JSON and 64 bits can hold, and of a
    text at most so many characters of it."""
    found = made(form(wanted), value, hashed)
    if isinstance(found, int):
        assert abs(found) < 2**63
    if isinstance(found, float):
        assert math.isfinite(found)
        assert found == round(found, 1)
    if isinstance(value, str) and wanted in ("year", "decade"):
        assert found is None or (isinstance(found, int) and found <= 9999)
    if isinstance(found, str):
        assert len(found) <= 3


@pytest.mark.parametrize(
    ("wanted", "kind", "fits"),
    [
        ("year", Kind.WHOLE, False),
        ("decade", Kind.WHOLE, True),
        ("region-2", Kind.WHOLE, False),
        ("round-10", Kind.TEXT, False),
        ("coarse-1", Kind.WHOLE, False),
        ("keep", Kind.CLOCK, True),
    ],
)
def test_forms_are_of_kinds(wanted: str, kind: Kind, fits: bool) -> None:
    """A form that cannot be made of a kind of values is known before a value is seen."""
    assert form(wanted).fits(kind) is fits


def test_times_as_json() -> None:
    """A moment ends in Z, a time without a zone does not pretend to have one."""
    assert as_json(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000000Z"
    assert as_json(datetime(2026, 1, 2)) == "2026-01-02T00:00:00.000000"  # noqa: DTZ001
    assert as_json(date(2026, 1, 2)) == "2026-01-02"
