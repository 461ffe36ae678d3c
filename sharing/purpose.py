"""Gate 1, purpose review: may the data be used for this, and were people told so?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sharing.findings import Finding, compliant, gap, violation
from sharing.offered import KEEP, PHOTO, Asked, categories, in_words
from sharing.vocabulary import CATEGORIES, PURPOSES, Term, covers, needs_explicit

__all__ = ["CATEGORIES", "PURPOSES", "Term", "covers", "needs_explicit"]


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
    fields: Sequence[Asked],
    allowed: Sequence[str] | None,
    notices: Sequence[NoticeTerms],
) -> list[Finding]:
    """The findings of gate 1, for a person to read before deciding."""
    return [
        _known(purpose),
        _allowed(purpose, allowed),
        _noticed(purpose, categories(fields), notices),
        _needed(fields),
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


def _noticed(purpose: str, asked: Sequence[str], notices: Sequence[NoticeTerms]) -> Finding:
    if not notices:
        return violation("notice_covers", "No notice was given to users at all.")
    untold = [one for one in asked if not any(n.covers(purpose, one) for n in notices)]
    if untold:
        return violation(
            "notice_covers",
            f"None of {len(notices)} notices given to users names {purpose} for "
            f"{', '.join(untold)}.",
        )
    telling = [
        f"{n.name} {n.version}" for n in notices if any(n.covers(purpose, one) for one in asked)
    ]
    return compliant("notice_covers", f"People were told of this use in {', '.join(telling)}.")


def _needed(fields: Sequence[Asked]) -> Finding:
    """Minimisation (GDPR 5(1)(c)): what is needed for a use no machine can tell."""
    columns = [field for field in fields if field.name != PHOTO]
    told = "; ".join(
        f"{of}: {in_words(f for f in fields if f.category == of)}" for of in categories(fields)
    )
    if not columns:
        return compliant("fields_needed", f"Only the photograph is asked for ({told}).")
    whole = [field.name for field in columns if field.form == KEEP]
    asis = f" As it is, though a coarser form might do: {', '.join(whole)}." if whole else ""
    return gap(
        "fields_needed",
        f"Asked for, by category: {told}.{asis} Is each of them needed for the intended use?",
    )


def _described(intended_use: str) -> Finding:
    words = len(intended_use.split())
    if words < 5:
        return gap("intended_use", f"The intended use has {words} words: too short to publish.")
    return compliant("intended_use", f"Stated in {words} words.")
