"""What people were promised, held against what is asked for."""

from datetime import date
from typing import Any

import pytest

from sharing.promise import Promise, Promised, broken
from tests.walk import BODY, CATEGORY, PURPOSE


def told(*promises: Promise, special: bool = False, categories: tuple[str, ...] = (CATEGORY,),
         purposes: tuple[str, ...] = ("dpv:ServiceProvision",), first: date | None = None,
         last: date | None = None, **changes: Any) -> int:  # fmt: skip
    """How many promises of one notice a body breaks."""
    notice = Promised("n", "1", purposes, categories, promises, first, last)
    return len(broken([notice], {**BODY, **changes}, [CATEGORY], special))


@pytest.mark.parametrize(
    ("promise", "given", "count"),
    [
        (Promise.NO_THIRD_PARTIES, {}, 1),
        (Promise.NO_AI_TRAINING, {}, 1),
        (Promise.NO_AI_TRAINING, {"purpose": "dpv:AcademicResearch"}, 1),
        (Promise.NO_AI_TRAINING, {"trains_models": False}, 1),
        (Promise.NO_AI_TRAINING, {"purpose": "dpv:AcademicResearch", "trains_models": False}, 0),
        (Promise.NO_SPECIAL_CATEGORIES, {}, 0),
        (Promise.NO_SPECIAL_CATEGORIES, {"special": True}, 1),
        (Promise.ONLY_PURPOSES, {}, 1),
        (Promise.ONLY_PURPOSES, {"purposes": (PURPOSE,)}, 0),
    ],
)
def test_each_promise(promise: Promise, given: dict[str, Any], count: int) -> None:
    """Each promise is broken by just what it speaks against."""
    assert told(promise, **given) == count


def test_a_notice_without_promises_says_nothing() -> None:
    """Silence is no promise."""
    assert told() == 0


def test_only_a_notice_about_this_data_counts() -> None:
    """A promise about other data is not broken; one about wider data or a part of it is."""
    promise = Promise.NO_THIRD_PARTIES
    assert told(promise, categories=("pd:Location",)) == 0
    assert told(promise, categories=("pd:ProfilePicture",)) == 1  # a part of pd:Picture
    assert told(promise, categories=("pd:Location", CATEGORY)) == 1


@pytest.mark.parametrize(
    ("where", "first", "last", "count"),
    [
        ({}, None, None, 1),
        ({}, date(2010, 1, 1), date(2011, 1, 1), 1),
        ({"taken_after": "2012-01-01"}, None, date(2011, 12, 31), 0),
        ({"taken_after": "2012-01-01"}, None, date(2012, 1, 1), 1),
        ({"taken_before": "2012-01-01"}, date(2012, 1, 1), None, 0),
        ({"taken_before": "2012-01-01"}, date(2011, 12, 31), None, 1),
        ({"taken_after": "2012-01-01", "taken_before": "2013-01-01"}, date(2012, 6, 1), None, 1),
    ],
)
def test_the_promise_of_the_time_counts(
    where: dict[str, str], first: date | None, last: date | None, count: int
) -> None:
    """A promise counts where its notice was in force when any of the data may have been taken."""
    scope = {"fields": ["photo"], "where": where, "limit": 10}
    assert told(Promise.NO_THIRD_PARTIES, first=first, last=last, scope=scope) == count
