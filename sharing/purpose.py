"""Gate 1, purpose review: may the data be used for this, and were people told so?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sharing.findings import Finding, compliant, gap, violation
from sharing.vocabulary import CATEGORIES, PURPOSES, Term, covers, needs_explicit

__all__ = ["CATEGORIES", "PURPOSES", "Term", "covers", "needs_explicit"]


FIELDS: Mapping[str, str] = {"photo": "the photograph itself, without any metadata"}


@dataclass(frozen=True, slots=True)
class NoticeTerms:
    """What one version of a notice told people: its purposes and data categories.

    `stands` is False where a newer version is there and nobody decided that they are compatible.
    """

    name: str
    version: str
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    stands: bool = True

    def covers(self, purpose: str, category: str) -> bool:
        """True if this notice still stands and named the purpose for the category."""
        return self.stands and self.names(purpose, category)

    def names(self, purpose: str, category: str) -> bool:
        """True if its words name the purpose (or a wider one) for the category."""
        return any(covers(PURPOSES, told, purpose) for told in self.purposes) and any(
            covers(CATEGORIES, told, category) for told in self.categories
        )


def review(
    purpose: str,
    intended_use: str,
    category: str,
    allowed: Sequence[str] | None,
    notices: Sequence[NoticeTerms],
) -> list[Finding]:
    """The findings of gate 1, for a person to read before deciding."""
    return [
        _known(purpose),
        _allowed(purpose, allowed),
        _noticed(purpose, category, notices),
        _described(intended_use),
    ]


def _known(purpose: str) -> Finding:
    term = PURPOSES.get(purpose)
    if term is None:
        return violation("purpose_known", f"{purpose} is not in the vocabulary.")
    return compliant("purpose_known", f"{purpose}: {term.label}.")


def _allowed(purpose: str, allowed: Sequence[str] | None) -> Finding:
    if not allowed:
        return gap(
            "purpose_allowed",
            "The dataset does not say which purposes it may be shared for: judge by its notices.",
        )
    if any(covers(PURPOSES, wide, purpose) for wide in allowed):
        return compliant("purpose_allowed", f"The dataset may be shared for {', '.join(allowed)}.")
    return violation(
        "purpose_allowed",
        f"The dataset may be shared for {', '.join(allowed)} only, not {purpose}.",
    )


def _noticed(purpose: str, category: str, notices: Sequence[NoticeTerms]) -> Finding:
    telling = [f"{n.name} {n.version}" for n in notices if n.covers(purpose, category)]
    if telling:
        return compliant("notice_covers", f"People were told of this use in {', '.join(telling)}.")
    if not notices:
        return violation("notice_covers", "No notice was given to users at all.")
    return violation(
        "notice_covers",
        f"None of {len(notices)} notices given to users names {purpose} for {category}.",
    )


def _described(intended_use: str) -> Finding:
    words = len(intended_use.split())
    if words < 5:
        return gap("intended_use", f"The intended use has {words} words: too short to publish.")
    return compliant("intended_use", f"Stated in {words} words.")
