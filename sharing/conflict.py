"""Gate 3, conflict-of-interest sign-off: who inside has a tie to the partner or its parents."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sharing.findings import Finding, compliant, gap, violation


class InterestKind(StrEnum):
    """The kinds of tie that are declared."""

    EQUITY = "equity"
    FUND = "fund"
    BOARD = "board"
    EMPLOYMENT = "employment"
    FAMILY = "family"
    GIFT = "gift"
    OTHER = "other"


# Kinds that two disinterested people may agree to pass over, unless a policy says otherwise.
WAIVABLE = frozenset({InterestKind.GIFT, InterestKind.OTHER})


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
class Match:
    """An interest found on a path to the partner."""

    interest: Interest
    organisation: Organisation
    relation: str  # "the partner" or "a parent of the partner"


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
    return _plain(left.name) == _plain(right.name)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    words = re.sub(r"[^\w\s]", " ", _INITIALS.sub(r"\1", letters)).split()
    telling = [word for word in words if word not in _PASSED_OVER]
    return " ".join(telling or words) or folded.strip()


def screen(
    interests: Iterable[Interest],
    partner: Organisation,
    parents: Sequence[Organisation],
    on: date,
) -> list[Match]:
    """Every interest that counts on that day and leads to the partner or to one of its parents."""
    organisations = [(partner, "the partner"), *((p, "a parent of the partner") for p in parents)]
    return [
        Match(interest, organisation, relation)
        for interest in interests
        if interest.counts_on(on)
        for organisation, relation in organisations
        if same(interest.organisation, organisation)
    ]


def report(
    matches: Sequence[Match],
    sponsor: str | None,
    sponsor_known: bool,
    parents: Sequence[Organisation],
) -> list[Finding]:
    """The findings of gate 3. People appear by id only; names are looked up by those allowed."""
    return [_matches(matches), _sponsor(matches, sponsor, sponsor_known), _parents(parents)]


def _matches(matches: Sequence[Match]) -> Finding:
    if not matches:
        return compliant("interests_screened", "No declared interest leads to the partner.")
    told = "; ".join(
        f"{m.interest.person_id} ({m.interest.kind}) in {m.organisation.name}, {m.relation}"
        for m in matches
    )
    return gap("interests_screened", f"Recused from this request: {told}.")


def _sponsor(matches: Sequence[Match], sponsor: str | None, known: bool) -> Finding:
    if sponsor is None:
        return compliant("sponsor", "Nobody inside is named as wanting this.")
    if not known:
        return gap("sponsor", "The sponsor named is not a person on record: find out who it is.")
    if any(match.interest.person_id == sponsor for match in matches):
        return violation("sponsor", f"The sponsor {sponsor} has an interest in the partner.")
    return gap("sponsor", f"{sponsor} wants this sharing and never decides on it.")


def _parents(parents: Sequence[Organisation]) -> Finding:
    if not parents:
        return gap("ownership_known", "The partner named no parents: its owners are not known.")
    return compliant("ownership_known", f"Parents: {', '.join(p.name for p in parents)}.")
