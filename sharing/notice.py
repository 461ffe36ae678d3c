"""Notices beside each other: does a consent given under older words still stand beside newer ones?

A person says so, pair by pair, and the latest word on a pair counts. What nobody has decided is a
gap, and counts as no."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

Version = tuple[str, str]  # name, version


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of one notice; `compatible` is None where nobody has decided yet."""

    name: str
    older: str
    newer: str
    compatible: bool | None


def comparisons(
    versions: Sequence[Version], decided: Mapping[tuple[str, str, str], bool]
) -> Iterator[Comparison]:
    """Every older version beside every newer one of the same name. `versions` are in the order
    in which they were given; `decided` has the latest word on (name, older, newer)."""
    for name, mine in groupby(sorted(versions, key=lambda version: version[0]), lambda v: v[0]):
        for (_, older), (_, newer) in combinations(mine, 2):
            yield Comparison(name, older, newer, decided.get((name, older, newer)))


def overtaken(compared: Sequence[Comparison]) -> frozenset[Version]:
    """The versions that do not stand: some newer one is not known to be compatible with them."""
    return frozenset((pair.name, pair.older) for pair in compared if not pair.compatible)


def open_questions(compared: Sequence[Comparison]) -> list[Comparison]:
    """Pairs that a person should decide: undecided ones whose older version has not fallen yet."""
    fallen = {(pair.name, pair.older) for pair in compared if pair.compatible is False}
    return [
        pair
        for pair in compared
        if pair.compatible is None and (pair.name, pair.older) not in fallen
    ]
