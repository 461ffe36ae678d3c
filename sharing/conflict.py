"""Gate 3, conflict-of-interest sign-off: who inside has a tie that leads to the partner."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from sharing.findings import Finding, compliant, gap, violation
from sharing.ownership import Named
from sharing.ties import strength, words


class InterestKind(StrEnum):
    """The kinds of tie that are declared."""

    EQUITY = "equity"
    FUND = "fund"
    BOARD = "board"
    EMPLOYMENT = "employment"
    FAMILY = "family"
    GIFT = "gift"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A legal entity by name and, where known, its Legal Entity Identifier (ISO 17442)."""

    name: str
    lei: str | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """One dated declaration: a person's tie to an organisation; `until` None means still held."""

    id: str
    person_id: str
    organisation: Organisation
    kind: InterestKind
    since: date
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        """True unless the tie ended before `day`. One that begins later counts from when it is
        declared: who has signed with the partner for next month gains from it today."""
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a path: `first` owns `second`, or with `owns` False is owned by it."""

    first: Named
    second: Named
    owns: bool
    kind: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An interest found on a path to the partner, or to one of its onward recipients. The path goes
    from the organisation that the interest is in to the one that is screened."""

    interest: Interest
    organisation: Organisation
    relation: str  # "the partner", "a parent of the partner", ...
    legs: tuple[Leg, ...] = ()
    target: str = "the partner"
    confirmed: bool = False  # named alike only, and confirmed by a conflict officer


@dataclass(frozen=True, slots=True)
class Alike:
    """An interest whose organisation is named almost as one that is near the partner."""

    interest: Interest
    organisation: Named
    relation: str
    score: float
    ruling: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Screening:
    """What was found around a request's partner and onward recipients."""

    matches: Sequence[Match]
    alike: Sequence[Alike] = ()
    owners: Sequence[str] = ()
    too_large: Sequence[str] = ()
    cut: bool = False
    over_all: Sequence[str] = ()


# What a name may carry or lack and still be the same organisation's. Rather one recusal too many.
_PASSED_OVER = frozenset({
    "ab", "ag", "and", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh",
    "inc", "incorporated", "kg", "kgaa", "kk", "lda", "limited", "llc", "llp", "lp", "ltd",
    "ltda", "nv", "oy", "oyj", "plc", "private", "pte", "pty", "public", "pvt", "sa", "sarl",
    "sas", "se", "sl", "spa", "srl", "the", "ug",
})  # fmt: skip
_INITIALS = re.compile(r"\b(\w)[./]\s?(?=\w\b)")  # S.A., G.m.b.H., A/S


def same(left: Organisation, right: Organisation) -> bool:
    """True if the two are one entity: by LEI where both have one, else by name without its
    legal form, accents and punctuation."""
    if left.lei and right.lei:
        return left.lei.upper() == right.lei.upper()
    return plain(left.name) == plain(right.name)


@lru_cache(maxsize=100_000)
def plain(name: str) -> str:
    """A name without its legal form, accents, case and punctuation."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    words = re.sub(r"[^\w\s]", " ", _INITIALS.sub(r"\1", letters)).split()
    telling = [word for word in words if word not in _PASSED_OVER]
    return " ".join(telling or words) or folded.strip()


def report(screening: Screening, sponsor: str | None, sponsor_known: bool) -> list[Finding]:
    """The findings of gate 3. People appear by id only; names are looked up by those allowed."""
    return [
        _matches(screening.matches),
        _alike(screening),
        _sponsor(screening.matches, sponsor, sponsor_known),
        _owners(screening),
    ]


def told(match: Match) -> str:
    """A match in words, with its path and its strength."""
    measured, interest = strength(match), match.interest
    return (
        f"{interest.person_id} ({interest.kind}) in {match.organisation.name}, {match.relation} "
        f"({words(match)}: {measured.strength}, {measured.number:.3g})"
    )


def _matches(matches: Sequence[Match]) -> Finding:
    if not matches:
        return compliant("interests_screened", "No declared interest leads to the partner.")
    told_all = "; ".join(told(match) for match in matches)
    return gap("interests_screened", f"Recused from this request: {told_all}.")


def _alike(screening: Screening) -> Finding:
    """A name that is only alike recuses nobody, and is never passed over in silence."""
    waiting = [one for one in screening.alike if one.ruling is None]
    dismissed = [one for one in screening.alike if one.ruling == "dismissed"]
    said = [f"{_pair(one)} ({one.score:g} of 100)" for one in waiting]
    known = [f"{_pair(one)}: dismissed, {one.reason}" for one in dismissed]
    if waiting:
        detail = f"To be confirmed or dismissed by a conflict officer: {'; '.join(said + known)}."
        return gap("names_alike", detail)
    if known:
        return compliant("names_alike", f"All names that are alike were looked at: "
                         f"{'; '.join(known)}.")  # fmt: skip
    return compliant("names_alike", "No name is almost that of an organisation near the partner.")


def _pair(one: Alike) -> str:
    return (
        f"{one.interest.person_id} ({one.interest.kind}) in {one.interest.organisation.name} may "
        f"be in {one.organisation.name}, {one.relation}"
    )


def _sponsor(matches: Sequence[Match], sponsor: str | None, known: bool) -> Finding:
    if sponsor is None:
        return compliant("sponsor", "Nobody inside is named as wanting this.")
    if not known:
        return gap("sponsor", "The sponsor named is not a person on record: find out who it is.")
    if any(match.interest.person_id == sponsor for match in matches):
        return violation("sponsor", f"The sponsor {sponsor} has an interest in the partner.")
    return gap("sponsor", f"{sponsor} wants this sharing and never decides on it.")


def _owners(screening: Screening) -> Finding:
    """Whether who owns the partner is known, and whether all of it could be looked through."""
    doubts = [f"more than all of {name} is owned, as recorded" for name in screening.over_all]
    if screening.too_large:
        many = ", ".join(screening.too_large)
        doubts.append(f"what these own was not looked through, there is too much of it: {many}")
    if screening.cut:
        doubts.append("so many organisations are near that not all of them were looked at")
    if not screening.owners:
        doubts.append("no owner of the partner is known")
    names = ", ".join(screening.owners)
    told_owners = f"Owners: {names}. " if names else ""
    if doubts:
        return gap("ownership_known", f"{told_owners}Not known for sure: {'; '.join(doubts)}.")
    return compliant("ownership_known", told_owners.strip())
