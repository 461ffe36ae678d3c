"""The sealed clearance: all four gates, in order, on one digest, by four people, for a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.clearance import Approval, Clearance, seal
from sharing.errors import NotCleared
from sharing.stages import GATES, Outcome, Stage

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
UNTIL = AT + timedelta(days=30)
TICK = timedelta(microseconds=1)
FOUR = tuple(
    Approval(stage, f"per_{i}", "digest", Outcome.APPROVED, f"dec_{i}")
    for i, stage in enumerate(GATES)
)


def sealed(approvals: tuple[Approval, ...] = FOUR, digest: str = "digest") -> Clearance:
    """A clearance of these approvals."""
    return seal("req", digest, approvals, "agreement", AT, UNTIL)


def test_four_approvals_make_a_clearance() -> None:
    """Four approvals of one digest by four people, in gate order, are a clearance of it."""
    assert sealed().approvals == FOUR


@pytest.mark.parametrize("missing", range(4))
def test_three_are_not_four(missing: int) -> None:
    """With any one gate missing there is no clearance."""
    with pytest.raises(NotCleared):
        sealed(FOUR[:missing] + FOUR[missing + 1 :])


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.APPROVED}))
@pytest.mark.parametrize("number", range(4))
def test_only_approvals_count(number: int, outcome: Outcome) -> None:
    """One gate refused, returned, expired or undecidable, and there is no clearance."""
    with pytest.raises(NotCleared):
        sealed(tuple(replace(a, outcome=outcome) if a is FOUR[number] else a for a in FOUR))


@pytest.mark.parametrize("number", range(4))
def test_one_digest(number: int) -> None:
    """An approval of another digest counts for nothing."""
    with pytest.raises(NotCleared, match="another digest"):
        sealed(tuple(replace(a, digest="old") if a is FOUR[number] else a for a in FOUR))
    with pytest.raises(NotCleared, match="another digest"):
        sealed(FOUR, "new")


@given(people=st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=4, max_size=4))
def test_four_people(people: list[str]) -> None:
    """A clearance exists exactly where four distinct people approved."""
    approvals = tuple(replace(a, actor=who) for a, who in zip(FOUR, people, strict=True))
    if len(set(people)) == 4:
        assert sealed(approvals).approvals == approvals
        return
    with pytest.raises(NotCleared, match="four distinct people"):
        sealed(approvals)


@given(order=st.permutations(FOUR))
def test_gate_order(order: list[Approval]) -> None:
    """Approvals in any other order than that of the gates, or one twice, are not a clearance."""
    if tuple(order) == FOUR:
        return
    with pytest.raises(NotCleared):
        sealed(tuple(order))
    with pytest.raises(NotCleared):
        sealed((*FOUR, order[0]))


@pytest.mark.parametrize(
    ("at", "covered"),
    [(AT - TICK, False), (AT, True), (UNTIL - TICK, True), (UNTIL, False)],
)
def test_a_clearance_runs_out(at: datetime, covered: bool) -> None:
    """It covers from the moment it was made until just before it ends, and only its own digest of
    its own request."""
    assert sealed().covers("req", "digest", at) == covered
    assert not sealed().covers("other", "digest", at)
    assert not sealed().covers("req", "other", at)


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": "x"},
        {"digest": "x"},
        {"agreement_digest": "x"},
        {"cleared_at": AT + TICK},
        {"valid_until": UNTIL + TICK},
        {"approvals": (replace(FOUR[0], actor="x"), *FOUR[1:])},
        {"approvals": (replace(FOUR[0], decision_id="x"), *FOUR[1:])},
        {"approvals": (replace(FOUR[0], stage=Stage.EXPORT), *FOUR[1:])},
    ],
)
def test_the_seal_is_over_everything(changes: dict[str, object]) -> None:
    """Another request, digest, person, decision, agreement or moment is another seal."""
    assert replace(sealed(), **changes).seal != sealed().seal  # type: ignore[arg-type]
