"""Refuses rules of which nobody could say which is meant. Pure.

Rules may overlap: the strictest of each value wins. Two rules for exactly the same requests, and a
term beside one that it lies below, can only be a mistake.
"""

from collections.abc import Mapping, Sequence

from sharing.policy_reader import Reader
from sharing.rulebook import Rule, When
from sharing.vocabulary import CATEGORIES, PURPOSES, Term, covers


def demand_unambiguous(reader: Reader, rules: Sequence[Rule]) -> None:
    """Notes every rule that is about the same requests as an earlier one, and every term that says
    nothing beside another."""
    first: dict[When, int] = {}
    for i, rule in enumerate(rules):
        earlier = first.setdefault(rule.when, i)
        if earlier != i:
            line = reader.lines.of(("rule", earlier))
            reader.wrong(
                ("rule", i),
                f"is about the same requests as {rules[earlier].name!r} in line {line}, so that "
                "nobody can say which is meant: make one rule of the two.",
            )
        _demand_apart(reader, ("rule", i, "purpose"), PURPOSES, rule.when.purposes)
        _demand_apart(reader, ("rule", i, "category"), CATEGORIES, rule.when.categories)


def _demand_apart(
    reader: Reader, path: tuple[str | int, ...], known: Mapping[str, Term], said: frozenset[str]
) -> None:
    for narrower in sorted(said):
        for wider in sorted(said - {narrower}):
            if covers(known, wider, narrower):
                reader.wrong(path, f"{narrower} lies below {wider}, which covers it: leave it out.")
