"""A tie in words, and how strong it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING

from sharing.ownership import Edge, EdgeKind, worth
from sharing.screening import Trace, Way

if TYPE_CHECKING:  # which tells of ties itself
    from sharing.conflict import Leg, Match


class Strength(StrEnum):
    """How strong a tie is, in words."""

    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


STRONG_FROM, MODERATE_FROM = 0.5, 0.1
SISTERLY = 0.5  # who gains only because the common owner does

# What a person's own tie is worth: nearest first.
_OWN: Mapping[str, float] = {
    "employment": 1.0,
    "board": 1.0,
    "equity": 0.9,
    "fund": 0.8,
    "family": 0.8,
    "other": 0.5,
    "gift": 0.3,
}
_HELD: Mapping[str, str] = {
    "employment": "works for",
    "board": "sits on the board of",
    "equity": "holds a stake in",
    "fund": "holds a stake through a fund in",
    "family": "has family at",
    "other": "has a tie to",
    "gift": "had a gift from",
}
# owner's verb, and the same seen from what is owned
_VERBS: Mapping[str, tuple[str, str]] = {
    EdgeKind.OWNERSHIP: ("owns", "is owned by"),
    EdgeKind.CONTROL: ("controls", "is controlled by"),
    EdgeKind.SUBSIDIARY: ("is the parent of", "is a subsidiary of"),
    EdgeKind.BRANCH: ("is the head office of", "is a branch of"),
    EdgeKind.FUND: ("manages or feeds", "is managed or fed by"),
    EdgeKind.FOUNDER: ("founded", "was founded by"),
    EdgeKind.BOARD: ("sits on the board of", "has on its board"),
    EdgeKind.OTHER: ("is tied to", "is tied to"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A tie's strength: a number above 0 and at most 1, and its class."""

    number: float
    strength: Strength


def strength(match: "Match") -> Measured:
    """The person's own tie times what each edge is worth; half of it where the path turns at a
    common owner. It says what to look at first: a weak tie recuses like a strong one."""
    number = _OWN[match.interest.kind] * prod(_worth(leg) for leg in match.legs)
    if len({leg.owns for leg in match.legs}) > 1:
        number *= SISTERLY
    if number >= STRONG_FROM:
        return Measured(number, Strength.STRONG)
    return Measured(number, Strength.MODERATE if number >= MODERATE_FROM else Strength.WEAK)


def words(match: "Match") -> str:
    """The path as a sentence without its full stop. The person appears by id."""
    held = f"{match.interest.person_id} {_HELD[match.interest.kind]}"
    parts = [f"{held} {match.interest.organisation.name}"]
    if match.confirmed:
        near = match.legs[0].first.name if match.legs else match.organisation.name
        parts.append(f"confirmed to be {near}")
    return ", ".join([*parts, *(f"which {_leg(leg)}" for leg in match.legs)])


def relation(way: Way, hops: int, target: str) -> str:
    """What an organisation is to the one that is screened."""
    if way is Way.TARGET:
        return target
    if way in (Way.OWNER, Way.HOLDER):
        word = "a parent" if hops == 1 else "an owner"
    else:
        word = "a subsidiary" if way is Way.SUBSIDIARY else "a sister company"
    return f"{word} of {target}"


def steps(trace: Trace) -> Iterable[tuple[Edge, bool]]:
    """The edges from a trace to its target, each with whether the nearer end of the two to the
    trace is the owner."""
    at: Trace | None = trace
    while at is not None:
        if at.edge is not None:
            yield at.edge, at.edge.owner == at.number and at.way in (Way.OWNER, Way.HOLDER)
        at = at.before


def _leg(leg: "Leg") -> str:
    owns, owned = _VERBS[leg.kind]
    share = f"{100 * leg.share:.3g} %" if leg.share is not None else ""
    if leg.owns:
        return f"{owns} {f'{share} of ' if share else ''}{leg.second.name}"
    return f"{owned} {leg.second.name}{f' ({share})' if share else ''}"


def _worth(leg: "Leg") -> float:
    return worth(Edge(leg.first.number, leg.second.number, leg.kind, leg.share))
