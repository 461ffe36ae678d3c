"""The model in small: some tens of thousands of states, and every mutant."""

import pytest

from tests.model.explore import explore
from tests.model.invariants import CHECKS, CLEARED_BY
from tests.model.mutants import MUTANTS, Mutant
from tests.model.world import CLEO_INTERESTED, JOINED, WORLDS, World

SMALL = World(
    "small",
    more=WORLDS[2].more,
    revisions=1,
    facts=(CLEO_INTERESTED, JOINED),
    acts=frozenset({"refuse", "take_back", "waive"}),
)


def test_no_order_of_things_breaks_an_invariant() -> None:
    """In a small world no invariant breaks, and the search goes everywhere and far."""
    explored = explore(SMALL)
    assert explored.trace == ()
    assert explored.finished
    assert explored.states > 3_000


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name.replace(" ", "_"))
def test_the_beginnings_of_every_world(world: World) -> None:
    """In the first 5,000 states of each world no invariant breaks. `python -m tests.model` goes
    through all of them."""
    explored = explore(world, limit=5_000)
    assert explored.trace == ()
    assert explored.states >= 5_000


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.guard.replace(" ", "_"))
def test_without_a_guard_an_invariant_breaks(mutant: Mutant) -> None:
    """Each guard that is left out everywhere is missed by an invariant, and the trace ends with
    it."""
    trace = mutant.run(mutant.off).trace
    assert trace
    assert trace[-1].startswith("violated: ")


def test_the_shortest_trace_is_told_in_words() -> None:
    """Who reads a trace needs no code: it begins at the beginning and ends with what was broken."""
    guard = next(one for one in MUTANTS if one.guard == "nothing is taken back once the next gate"
                 " has decided")  # fmt: skip
    assert guard.run(guard.off).trace == (
        "1. purpose_review opens",
        "2. Ana approves purpose_review as purpose_reviewer",
        "3. consent_verification opens",
        "4. Ben approves consent_verification as consent_steward",
        "5. Ana takes back the approval of purpose_review",
        "violated: F11: an approval is taken back by its own decider only, until the next gate"
        " decides.",
    )


def test_every_invariant_is_missed_by_some_mutant() -> None:
    """No invariant is idle: each one breaks where some guard is left out."""
    said = {m.run(m.off).trace[-1] for m in MUTANTS}
    known = {check for checks in (*CHECKS.values(), CLEARED_BY) for check in checks}
    idle = [
        check.__name__
        for check in known
        if f"violated: {' '.join((check.__doc__ or '').split())}" not in said
    ]
    assert idle == []
