"""Who is near an organisation: its owners upwards, what it owns downwards, and its sisters.

The search starts from the few organisations that a request is about, and goes outwards step by
step; each step is one look-up for all that were reached by the one before. What counts, and what
does not, is in docs/decisions/0016-what-leads-to-a-partner.md.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from sharing.ownership import Edge, controls


class Way(StrEnum):
    """How an organisation was reached from the one that is screened."""

    TARGET = "target"
    OWNER = "owner"  # from edge to edge it has a say
    HOLDER = "holder"  # somewhere on the way there is only a stake
    SUBSIDIARY = "subsidiary"
    SISTER = "sister"  # under the same owner, who has a say in both


class Trace(NamedTuple):
    """One organisation reached, and how: the trace before it is one step nearer to the target.
    Without an edge the two are one organisation, recorded twice under one name."""

    number: int
    way: Way
    hops: int
    edge: Edge | None = None
    before: "Trace | None" = None

    @property
    def by_name(self) -> bool:
        """True if it was reached by being named alike."""
        return self.edge is None and self.before is not None


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a search goes: steps between organisations, how many one of them may own to be
    looked through, and how many organisations in all."""

    hops: int = 5
    owned: int = 10_000
    organisations: int = 20_000


LIMITS = Limits()


class Graph(Protocol):
    """Who owns whom today. Each look-up answers for many organisations at once."""

    def owners(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these are owned, by the owned."""

    def owned(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these own others, by the owner."""

    def large(self, numbers: Collection[int], above: int) -> set[int]:
        """Those of these that own more than `above` others."""

    def twins(self, numbers: Collection[int]) -> Mapping[int, list[int]]:
        """Others under the same name, where one of the two has no LEI."""


@dataclass(slots=True)
class Around:
    """What was found around one target: the shortest trace to each organisation, which owners were
    too large to look through, and whether the search was cut short."""

    reached: dict[int, Trace] = field(default_factory=dict)
    too_large: set[int] = field(default_factory=set)
    cut: bool = False


# A search in one of these ways goes nowhere that the others, if they came first, have not gone.
_COVERED_BY: Mapping[Way, tuple[Way, ...]] = {
    Way.TARGET: (Way.TARGET,),
    Way.OWNER: (Way.TARGET, Way.OWNER),
    Way.HOLDER: (Way.TARGET, Way.OWNER, Way.HOLDER),
    Way.SUBSIDIARY: (Way.TARGET, Way.SUBSIDIARY),
    Way.SISTER: (Way.TARGET, Way.SUBSIDIARY, Way.SISTER),
}
_UPWARDS = frozenset({Way.TARGET, Way.OWNER, Way.HOLDER})
_DOWNWARDS = frozenset({Way.TARGET, Way.OWNER, Way.SUBSIDIARY, Way.SISTER})


def around(
    graph: Graph, targets: Mapping[str, Collection[int]], limits: Limits = LIMITS
) -> dict[str, Around]:
    """What is around each target, given by the numbers under which it is in the graph. All targets
    go outwards in step, so that they share their look-ups."""
    searches = {name: _Search(numbers, limits) for name, numbers in targets.items()}
    for hops in range(limits.hops + 1):
        _meet_twins(graph, searches.values())
        if hops == limits.hops:
            break
        _step(graph, searches.values(), limits)
    return {name: search.found for name, search in searches.items()}


class _Search:
    """One target's search: what was seen, and where it stands now."""

    def __init__(self, numbers: Collection[int], limits: Limits) -> None:
        self.found = Around()
        self.frontier: list[Trace] = []
        self._seen: set[tuple[int, Way, bool]] = set()
        self._limit = limits.organisations
        for number in sorted(numbers):
            self.reach(Trace(number, Way.TARGET, 0), self.frontier)

    def reach(self, trace: Trace, frontier: list[Trace]) -> None:
        """Notes one more trace, unless an earlier one leads everywhere that this one does."""
        number, by_name = trace.number, trace.by_name
        for way in _COVERED_BY[trace.way]:
            if (number, way, False) in self._seen:
                return
            if by_name and (number, way, True) in self._seen:
                return
        if len(self._seen) >= self._limit:
            self.found.cut = True
            return
        self._seen.add((number, trace.way, by_name))
        self.found.reached.setdefault(number, trace)
        frontier.append(trace)


def _meet_twins(graph: Graph, searches: Iterable[_Search]) -> None:
    """Adds, without a step, whoever is recorded under the name of one that was just reached. A twin
    of a twin is not one: two that have different LEIs stay two."""
    searches = list(searches)
    twins = graph.twins({trace.number for s in searches for trace in s.frontier})
    for search in searches:
        for trace in list(search.frontier):
            for number in twins.get(trace.number, ()):
                if not trace.by_name:
                    search.reach(Trace(number, trace.way, trace.hops, None, trace), search.frontier)


def _step(graph: Graph, searches: Iterable[_Search], limits: Limits) -> None:
    searches = list(searches)
    up = {t.number for s in searches for t in s.frontier if t.way in _UPWARDS}
    down = {t.number for s in searches for t in s.frontier if t.way in _DOWNWARDS}
    large = graph.large(down, limits.owned)
    owners, owned = graph.owners(up), graph.owned(down - large)
    for search in searches:
        following: list[Trace] = []
        for trace in search.frontier:
            if trace.way in _UPWARDS:
                for edge in owners.get(trace.number, ()):
                    search.reach(_upwards(trace, edge), following)
            if trace.way in _DOWNWARDS:
                _downwards(search, trace, owned.get(trace.number, ()), following)
                if trace.number in large:
                    search.found.too_large.add(trace.number)
        search.frontier = following


def _upwards(trace: Trace, edge: Edge) -> Trace:
    has_a_say = trace.way is not Way.HOLDER and controls(edge)
    way = Way.OWNER if has_a_say else Way.HOLDER
    return Trace(edge.owner, way, trace.hops + 1, edge, trace)


def _downwards(
    search: _Search, trace: Trace, edges: Iterable[Edge], following: list[Trace]
) -> None:
    """Everything below the target is its subsidiary; below an owner only what the owner has a say
    in is a sister."""
    below = trace.way in (Way.TARGET, Way.SUBSIDIARY)
    way = Way.SUBSIDIARY if below else Way.SISTER
    for edge in edges:
        if below or controls(edge):
            search.reach(Trace(edge.owned, way, trace.hops + 1, edge, trace), following)
