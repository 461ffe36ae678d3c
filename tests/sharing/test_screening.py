"""Who is near a partner: paths up, down and sideways through a graph of owners."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.ownership import CONTROLLING, Edge, EdgeKind
from sharing.screening import Limits, Way, around
from tests.sharing.graphs import Drawn, every_path, owns

T = 0  # the one that is screened
CHAIN = [owns(n + 1, n, 0.5) for n in range(8)]


def test_owners_are_found_five_steps_up_and_no_further() -> None:
    """An owner five steps above is near, one six steps above is not."""
    assert Drawn(CHAIN).hops(T) == {n: n for n in range(6)}


def test_subsidiaries_are_found_five_steps_down_and_no_further() -> None:
    """What it owns is near, five steps down and no further."""
    down = Drawn([owns(n, n + 1, 0.01) for n in range(8)])
    assert down.hops(T) == {n: n for n in range(6)}
    assert down.around(T).reached[5].way is Way.SUBSIDIARY


def test_a_stake_of_any_size_leads_upwards() -> None:
    """A fund that holds one share in a hundred is near, and so is who holds the fund."""
    near = Drawn([owns(1, T, 0.01), owns(2, 1, 0.01)]).around(T)
    assert {n: trace.way for n, trace in near.reached.items()} == {
        T: Way.TARGET, 1: Way.HOLDER, 2: Way.HOLDER,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("above", "below", "found"),
    [
        (0.8, 0.8, True),
        (CONTROLLING, CONTROLLING, True),
        (None, None, True),
        (0.24, 0.8, False),
        (0.8, 0.24, False),
    ],
)
def test_a_sister_needs_one_owner_with_a_say_in_both(
    above: float | None, below: float | None, found: bool
) -> None:
    """A company under the same owner is near if that owner has a say in both; a share that nobody
    knows counts as a say."""
    near = Drawn([owns(1, T, above), owns(1, 2, below)]).around(T).reached
    assert (2 in near) == found
    if found:
        assert near[2].way is Way.SISTER


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (EdgeKind.CONTROL, True),
        (EdgeKind.SUBSIDIARY, True),
        (EdgeKind.BRANCH, True),
        (EdgeKind.FUND, False),
        (EdgeKind.FOUNDER, False),
        (EdgeKind.BOARD, False),
        (EdgeKind.OTHER, False),
    ],
)
def test_which_kinds_make_sisters(kind: EdgeKind, found: bool) -> None:
    """Control makes sisters; to be managed by the same firm, or founded by the same, does not."""
    assert (2 in Drawn([Edge(1, T, kind), Edge(1, 2, kind)]).around(T).reached) == found


def test_another_owner_of_a_subsidiary_is_not_near() -> None:
    """Who owns something together with the partner does not gain when the partner does."""
    assert 2 not in Drawn([owns(T, 1, 0.5), owns(2, 1, 0.5)]).around(T).reached


def test_cycles_end() -> None:
    """Owners that own each other, or themselves, are each found once, at the fewest steps."""
    ring = Drawn([owns(1, T), owns(2, 1), owns(T, 2), owns(1, 1)])
    assert ring.hops(T) == {T: 0, 1: 1, 2: 1}


def test_a_diamond_is_found_by_its_shorter_side() -> None:
    """Of two ways to one owner the shorter is told."""
    near = Drawn([owns(1, T), owns(2, 1), owns(9, 2), owns(3, T), owns(9, 3)]).around(T)
    trace = near.reached[9]
    assert trace.hops == 2
    assert trace.before is not None
    assert trace.before.number == 3


def test_one_name_is_one_organisation_but_not_twice_over() -> None:
    """Under one name a path goes on without a step; from there it needs a step before it may go on
    by name again: two with different LEIs stay two."""
    same = {(1, 11), (11, 12)}
    drawn = Drawn([owns(1, T), owns(2, 11, 0.1), owns(3, 12)], same)
    assert drawn.hops(T) == {T: 0, 1: 1, 11: 1, 2: 2}


def test_who_owns_too_much_is_not_looked_through_but_told() -> None:
    """Below an owner of very many nothing is looked at, and it is told; upwards it goes on."""
    hub = Drawn([owns(1, T), owns(2, 1), *(owns(1, n) for n in range(10, 20))])
    near = hub.around(T, Limits(owned=10))
    assert set(near.reached) == {T, 1, 2}
    assert near.too_large == {1}
    assert not hub.around(T, Limits(owned=11)).too_large


def test_a_search_that_is_cut_short_says_so() -> None:
    """Where more is near than can be looked at, the answer says so."""
    wide = Drawn([owns(n, T) for n in range(1, 20)])
    assert wide.around(T, Limits(organisations=10)).cut
    assert not wide.around(T, Limits(organisations=40)).cut


def test_several_targets_do_not_disturb_each_other() -> None:
    """Targets searched together come to what each comes to alone."""
    drawn = Drawn([owns(1, T), owns(1, 5), owns(5, 6), owns(7, 6, 0.1)])
    both = around(drawn, {"a": [T], "b": [6]})
    assert both["a"].reached == drawn.around(T).reached
    assert both["b"].reached == drawn.around(6).reached


SHARES = st.sampled_from([None, 0.1, 0.3, 0.9])
KINDS = st.sampled_from([EdgeKind.OWNERSHIP, EdgeKind.CONTROL, EdgeKind.FUND])
EDGES = st.lists(
    st.builds(Edge, st.integers(0, 5), st.integers(0, 5), KINDS, SHARES), max_size=7, unique=True
)
SAME = st.sets(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] < p[1]), max_size=2
)


@settings(max_examples=300, deadline=None)
@given(edges=EDGES, same=SAME, hops=st.integers(0, 4))
def test_screening_finds_what_trying_every_path_finds(
    edges: Sequence[Edge], same: set[tuple[int, int]], hops: int
) -> None:
    """On random small graphs, with cycles, double edges and names in common, the search finds the
    same organisations at the same distances as trying all paths one by one."""
    drawn = Drawn(list(edges), same)
    assert drawn.hops(T, Limits(hops=hops)) == every_path(drawn, T, hops)
