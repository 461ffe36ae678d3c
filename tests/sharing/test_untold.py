"""Before a release a partner is told of counts only what tells on nobody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing import untold
from sharing.outlook import BANDS, FEWEST, Band

NUDGES = st.floats(0, 1)
CHECKS = ("scope_size", "subjects_covered", "objects_excluded", "notice_compatibility")


def read(covered: int, people: int, nudge: float) -> list[Any]:
    """What a partner reads of a count, by check."""
    agreed = untold.share(covered, people, lambda _: nudge, "key")
    found = [
        {"check": name, "result": "compliant", "detail": f"{covered} of {people}."}
        for name in CHECKS[:3]
    ]
    return [untold.finding(one, people, agreed) for one in found]


@given(st.integers(FEWEST, 3000), st.data(), NUDGES)
def test_what_is_told_changes_at_the_edges_alone(
    people: int, data: st.DataObject, nudge: float
) -> None:
    """Of one scope there are as many answers as quarters, and all three findings follow them."""
    counts = data.draw(st.lists(st.integers(0, people), max_size=30))
    assert len({str(read(covered, people, nudge)) for covered in counts}) <= BANDS


@pytest.mark.parametrize("people", [1, 2, FEWEST - 1])
def test_of_few_people_nothing_is_told(people: int) -> None:
    """Nobody, somebody or everybody agreed: it reads the same, results too."""
    assert len({str(read(covered, people, 0.5)) for covered in range(people + 1)}) == 1


@pytest.mark.parametrize("nudge", [0.0, 0.5, 1.0])
def test_nobody_and_everybody_look_like_almost(nudge: float) -> None:
    """That all agreed, or that none did, is told as if one had said otherwise."""
    assert read(0, 1000, nudge) == read(1, 1000, nudge)
    assert read(1000, 1000, nudge) == read(999, 1000, nudge)


def test_without_a_secret_nothing_is_told() -> None:
    """Where no edges can be moved, no part is told at all."""
    assert untold.share(900, 1000, None, "key") is None


def test_other_findings_stay_as_they_are() -> None:
    """What is no count is told whole."""
    one = {"check": "notice_compatibility", "result": "gap", "detail": "terms 1 with 2."}
    assert untold.finding(one, 10, None) == one


def test_a_scope_has_one_key_whatever_more_is_asked_for() -> None:
    """Limits above what there is do not make new edges; another filter does."""
    body: dict[str, Any] = {
        "purpose": "ai:ModelTraining",
        "scope": {"fields": ["photo"], "where": {}, "limit": 9},
    }
    more = {**body, "scope": {**body["scope"], "limit": 10}}
    other = {**body, "scope": {**body["scope"], "where": {"taken_after": "2012-01-01"}}}
    keys = [untold.scope_key("par_1", "ds_1", 1, one, 5) for one in (body, more, other)]
    assert keys[0] == keys[1] != keys[2]
    assert untold.scope_key("par_1", "ds_1", 1, body, 6) != keys[0]


PROGRESS: dict[str, Any] = {
    "objects": 731,
    "bytes": 7310,
    "excluded": 69,
    "total": 1000,
    "bytes_in_scope": 10_000,
    "shards": {"done": 8, "total": 10},
    "under_way": {"shards": 1, "objects": 13, "bytes": 1},
    "objects_per_second": 3.3,
    "bytes_per_second": 33,
    "seconds_left": 60,
}


@given(st.integers(0, 800))
def test_progress_hangs_on_shards_and_quarters_alone(packed: int) -> None:
    """However many objects were packed, the same is told while as many shards are made."""
    one = PROGRESS | {"objects": packed, "excluded": 800 - packed}
    for agreed in (None, Band(0.45, 0.8)):
        told = untold.progress(one, agreed)
        assert told == untold.progress(PROGRESS, agreed)
        assert told["objects"] + told["excluded"] <= told["total"]
        assert told["shards"] == PROGRESS["shards"]
