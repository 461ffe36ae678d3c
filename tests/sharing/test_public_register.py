"""What the public is told: the rule alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.public_register import FEW, TOLD, Outcome, outcome_of, states_of, volume
from sharing.stages import ENDED, RequestState


@pytest.mark.parametrize("state", RequestState)
def test_an_open_request_only_exists(state: RequestState) -> None:
    """Of nothing that is still being judged, or was taken back, is more told than that it is."""
    told = outcome_of(state) in TOLD
    assert told == (state in ENDED and state is not RequestState.WITHDRAWN)


def test_every_state_is_known_by_one_word() -> None:
    """The public's words divide the states among them."""
    assert sorted(s for outcome in Outcome for s in states_of(outcome)) == sorted(RequestState)


@given(st.integers(min_value=0, max_value=10**10))
def test_a_volume_points_at_nobody(count: int) -> None:
    """Below a hundred nothing is told; above, two digits, at most a twentieth away from it."""
    shown = volume(count)
    if count < FEW:
        assert (shown.about, shown.below) == (None, FEW)
        return
    assert shown.about is not None
    assert shown.below is None
    assert str(shown.about)[2:].strip("0") == ""
    assert abs(shown.about - count) <= count / 20


def test_one_more_person_does_not_show() -> None:
    """Whether somebody is in it or not, the number is the same."""
    assert volume(4_321) == volume(4_322)
    assert volume(0) == volume(1) == volume(99)
