"""What the law of a subject's place asks of consent: reviewed rules, read from a file.

An unknown place counts as no. Minors are never exported, wherever they are.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntFlag
from functools import lru_cache
from typing import Protocol

from sharing.vocabulary import CATEGORIES, PURPOSES, needs_explicit, overlap
from sharing.vocabulary import digest as vocabulary_digest


class Needs(IntFlag):
    """What consent must be, beyond a yes. Flags add up; NEVER is met by nothing."""

    NOTHING = 0
    EXPLICIT = 1
    WRITTEN = 2
    NEVER = 4


class Asked(Protocol):
    """What a rule looks at in a question."""

    @property
    def purpose(self) -> str:
        """The purpose asked for."""

    @property
    def category(self) -> str:
        """The data category asked for."""

    @property
    def special_category(self) -> bool:
        """True if the dataset is one of special categories."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: where it holds, what it is about, what it asks, and the law that says so.

    It is about all questions, unless it names purposes or categories or is for `special` ones.
    """

    name: str
    where: tuple[str, ...]
    needs: Needs
    because: str
    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    special: bool = False

    def about(self, purpose: str, category: str, special_category: bool) -> bool:
        """True if any part of what is asked is a matter of this rule."""
        if not (self.purposes or self.categories or self.special):
            return True
        return (
            any(overlap(PURPOSES, named, purpose) for named in self.purposes)
            or any(overlap(CATEGORIES, named, category) for named in self.categories)
            or (self.special and needs_explicit(purpose, category, special_category))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One version of the rules. `since` is the first day (UTC) on which it is in force."""

    version: str
    since: date
    reviewed_by: str
    places: frozenset[str]
    groups: Mapping[str, frozenset[str]]
    subdivisions: Mapping[str, frozenset[str]]
    rules: tuple[Rule, ...]

    def known(self, jurisdiction: str | None) -> bool:
        """True if this is a place that the rules know: a country, a part of one, or a group."""
        if jurisdiction is None:
            return False
        country, part, _ = jurisdiction.partition("-")
        if not part:
            return jurisdiction in self.places or jurisdiction in self.groups
        listed = self.subdivisions.get(country)
        return country in self.places and (listed is None or jurisdiction in listed)

    def needs(self, jurisdiction: str | None, question: Asked, minor: bool = False) -> Needs:
        """What consent must be for a subject of this place, for this question."""
        if minor:
            return Needs.NEVER
        asked = (question.purpose, question.category, question.special_category)
        return _needs(self, vocabulary_digest(), jurisdiction, *asked)

    def digest(self) -> str:
        """sha256, in hex, of all of this version that decides."""
        rules = [
            [sorted(r.where), int(r.needs), sorted(r.purposes), sorted(r.categories), r.special]
            for r in self.rules
        ]
        parts = {
            "version": self.version,
            "places": sorted(self.places),
            "groups": {name: sorted(members) for name, members in self.groups.items()},
            "subdivisions": {name: sorted(parts) for name, parts in self.subdivisions.items()},
            "rules": sorted(rules),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=10_000)
def _needs(
    rules: Rules,
    vocabulary: str,  # part of what the answer depends on, so part of what it is kept under
    jurisdiction: str | None,
    purpose: str,
    category: str,
    special_category: bool,
) -> Needs:
    if jurisdiction is None or not rules.known(jurisdiction):
        return Needs.NEVER
    places = {*_whole(rules, jurisdiction), *_possible(rules, jurisdiction)}
    found = Needs.NOTHING
    for rule in rules.rules:
        if places.intersection(rule.where) and rule.about(purpose, category, special_category):
            found |= rule.needs
    return found


def _whole(rules: Rules, place: str) -> Iterator[str]:
    """A place, and all that it is a part of."""
    yield place
    country, part, _ = place.partition("-")
    if part:
        yield country
    yield from (group for group, members in rules.groups.items() if country in members)


def _possible(rules: Rules, place: str) -> Iterator[str]:
    """Where somebody may be of whom only this is known: in any member of a group, any part of a
    country. What is not known counts as no, so each of their rules holds."""
    for country in rules.groups.get(place, (place,)):
        yield country
        yield from (
            named for rule in rules.rules for named in rule.where if named.startswith(f"{country}-")
        )
