"""Organisations and who owns or controls whom: the words of GLEIF and of the Beneficial Ownership
Data Standard (BODS 0.4), brought down to a few of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

CONTROLLING = 0.25  # a share from which on an owner is taken to have a say
ROUNDING = 0.0005  # by so much shares may add up to more than all
FLOOR = 1e-9  # no tie is so thin that it counts as none


class EdgeKind(StrEnum):
    """How an owner is tied to what it owns."""

    OWNERSHIP = "ownership"
    CONTROL = "control"
    SUBSIDIARY = "subsidiary"
    BRANCH = "branch"
    FUND = "fund"
    FOUNDER = "founder"
    BOARD = "board"
    OTHER = "other"


class Edge(NamedTuple):
    """One organisation's hold on another, by their numbers; `share` is a fraction of 1."""

    owner: int
    owned: int
    kind: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """An organisation by its number in the graph, its name and its LEI."""

    number: int
    name: str
    lei: str | None = None


# The ends of a GLEIF relationship are a start and an end node: True where the start is the owner.
GLEIF: Mapping[str, tuple[EdgeKind, bool]] = {
    "IS_DIRECTLY_CONSOLIDATED_BY": (EdgeKind.SUBSIDIARY, False),
    "IS_ULTIMATELY_CONSOLIDATED_BY": (EdgeKind.SUBSIDIARY, False),
    "IS_INTERNATIONAL_BRANCH_OF": (EdgeKind.BRANCH, False),
    "IS_FUND-MANAGED_BY": (EdgeKind.FUND, False),
    "IS_SUBFUND_OF": (EdgeKind.FUND, False),
    "IS_FEEDER_TO": (EdgeKind.FUND, True),
}

# Interest types of BODS 0.4; the interested party is the owner, the subject what is owned.
BODS: Mapping[str, EdgeKind] = {
    "shareholding": EdgeKind.OWNERSHIP,
    "votingRights": EdgeKind.OWNERSHIP,
    "rightsToSurplusAssetsOnDissolution": EdgeKind.OWNERSHIP,
    "rightsToProfitOrIncome": EdgeKind.OWNERSHIP,
    "enjoymentAndUseOfAssets": EdgeKind.OWNERSHIP,
    "rightToProfitOrIncomeFromAssets": EdgeKind.OWNERSHIP,
    "appointmentOfBoard": EdgeKind.CONTROL,
    "otherInfluenceOrControl": EdgeKind.CONTROL,
    "controlViaCompanyRulesOrArticles": EdgeKind.CONTROL,
    "controlByLegalFramework": EdgeKind.CONTROL,
    "rightsGrantedByContract": EdgeKind.CONTROL,
    "conditionalRightsGrantedByContract": EdgeKind.CONTROL,
    "trustee": EdgeKind.CONTROL,
    "protector": EdgeKind.CONTROL,
    "nominee": EdgeKind.OTHER,
    "nominator": EdgeKind.CONTROL,
    "settlor": EdgeKind.FOUNDER,
    "beneficiaryOfLegalArrangement": EdgeKind.OWNERSHIP,
    "seniorManagingOfficial": EdgeKind.BOARD,
    "boardMember": EdgeKind.BOARD,
    "boardChair": EdgeKind.BOARD,
    "unknownInterest": EdgeKind.OTHER,
    "unpublishedInterest": EdgeKind.OTHER,
}

# What an edge is worth where no share is known.
_WORTH: Mapping[str, float] = {
    EdgeKind.CONTROL: 1.0,
    EdgeKind.SUBSIDIARY: 1.0,
    EdgeKind.BRANCH: 1.0,
    EdgeKind.OWNERSHIP: 0.5,
    EdgeKind.FUND: 0.5,
    EdgeKind.FOUNDER: 0.5,
    EdgeKind.BOARD: 0.5,
    EdgeKind.OTHER: 0.25,
}
ALWAYS_CONTROL = (EdgeKind.CONTROL, EdgeKind.SUBSIDIARY, EdgeKind.BRANCH)


def controls(edge: Edge) -> bool:
    """True if the owner has a say in what it owns: by kind, or by a share of a quarter or more. A
    share that nobody knows counts as such a share."""
    if edge.kind in ALWAYS_CONTROL:
        return True
    return edge.kind == EdgeKind.OWNERSHIP and (edge.share is None or edge.share >= CONTROLLING)


def worth(edge: Edge) -> float:
    """What the tie is worth, above 0 and at most 1: its share where that is known, else by kind."""
    if edge.share is not None:
        return min(max(edge.share, FLOOR), 1.0)
    return _WORTH[edge.kind]


def over_all(shares: float) -> bool:
    """True if shares of one organisation add up to more than there is."""
    return shares > 1 + ROUNDING


def backwards(since: date | None, until: date | None) -> bool:
    """True if something is said to have ended before it began."""
    return since is not None and until is not None and until < since
