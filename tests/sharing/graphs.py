"""Graphs in memory, a screening of them, and a slow one that tries every path there is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sharing.ownership import Edge, EdgeKind, controls
from sharing.screening import LIMITS, Around, Limits, around


@dataclass(slots=True)
class Drawn:
    """A graph by its edges; `same` holds pairs of nodes under one name."""

    edges: list[Edge]
    same: set[tuple[int, int]] = field(default_factory=set)

    def owners(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these are owned."""
        return {n: [e for e in self.edges if e.owned == n] for n in numbers}

    def owned(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these own others."""
        return {n: [e for e in self.edges if e.owner == n] for n in numbers}

    def large(self, numbers: Collection[int], above: int) -> set[int]:
        """Those that own more than so many."""
        return {n for n in numbers if sum(e.owner == n for e in self.edges) > above}

    def twins(self, numbers: Collection[int]) -> Mapping[int, list[int]]:
        """Others under the same name."""
        pairs = self.same | {(b, a) for a, b in self.same}
        return {n: sorted(b for a, b in pairs if a == n) for n in numbers}

    def around(self, target: int, limits: Limits = LIMITS) -> Around:
        """What is around one node."""
        return around(self, {"it": [target]}, limits)["it"]

    def hops(self, target: int, limits: Limits = LIMITS) -> dict[int, int]:
        """How far each node near the target is from it."""
        return {n: trace.hops for n, trace in self.around(target, limits).reached.items()}


def owns(owner: int, owned: int, share: float | None = None) -> Edge:
    """An edge of ownership."""
    return Edge(owner, owned, EdgeKind.OWNERSHIP, share)


def every_path(graph: Drawn, target: int, hops: int = LIMITS.hops) -> dict[int, int]:
    """The same by trying every way of going: paths are walked one by one, none is remembered, and
    each is judged as a whole by the rule in words. The fewest edges to each node."""
    found: dict[int, int] = {}
    for path in _paths(graph, [target], [], hops, by_name=False):
        nodes, edges = path
        if allowed(edges):
            found[nodes[-1]] = min(found.get(nodes[-1], hops), len(edges))
    return found


def allowed(edges: list[tuple[Edge, bool]]) -> bool:
    """A path leads up any edges; or down any edges; or up and then down, if everywhere on it the
    owner has a say. (Edge, whether it was walked upwards.)"""
    turns = [up for _, up in edges]
    if len(set(turns)) < 2:
        return True
    return turns == sorted(turns, reverse=True) and all(controls(edge) for edge, _ in edges)


Path = tuple[list[int], list[tuple[Edge, bool]]]


def _paths(
    graph: Drawn, nodes: list[int], edges: list[tuple[Edge, bool]], left: int, *, by_name: bool
) -> Iterable[Path]:
    yield nodes, edges
    here = nodes[-1]
    if not by_name:
        for twin in graph.twins([here])[here]:
            yield from _paths(graph, [*nodes, twin], edges, left, by_name=True)
    if left == 0:
        return
    for edge in graph.edges:
        for near, far, up in ((edge.owned, edge.owner, True), (edge.owner, edge.owned, False)):
            if near == here:
                more = [*edges, (edge, up)]
                yield from _paths(graph, [*nodes, far], more, left - 1, by_name=False)
