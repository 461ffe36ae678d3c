"""Gate 1, purpose review: what the data may be used for, in a controlled vocabulary.

Terms are those of the W3C Data Privacy Vocabulary (DPV 2.3) and its AI and PD extensions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sharing.findings import Finding, compliant, gap, violation


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the vocabulary. `parent` is the next wider term; None at the top.

    `explicit`: consent to it must be explicit, an action that does nothing else (GDPR 9(2)(a)).
    """

    label: str
    parent: str | None = None
    explicit: bool = False


PURPOSES: Mapping[str, Term] = {
    "dpv:ServiceProvision": Term("Providing the service the person asked for"),
    "dpv:Personalisation": Term("Adapting the service to a person", "dpv:ServiceProvision"),
    "dpv:ServiceOptimisation": Term("Improving the service", "dpv:ServiceProvision"),
    "dpv:EnforceSecurity": Term("Keeping people and systems safe"),
    "dpv:FraudPreventionAndDetection": Term("Finding fraud", "dpv:EnforceSecurity"),
    "dpv:Marketing": Term("Promoting goods and services"),
    "dpv:TargetedAdvertising": Term("Advertising aimed at a person", "dpv:Marketing"),
    "dpv:LegalCompliance": Term("Doing what a law demands"),
    "dpv:ResearchAndDevelopment": Term("Finding things out and making new things"),
    "dpv:AcademicResearch": Term("Research by a university", "dpv:ResearchAndDevelopment"),
    "dpv:CommercialResearch": Term("Research for a business", "dpv:ResearchAndDevelopment"),
    "ai:AIDevelopment": Term("Making AI systems", "dpv:ResearchAndDevelopment", explicit=True),
    "ai:ModelTraining": Term("Training AI models", "ai:AIDevelopment", explicit=True),
    "ai:ModelTesting": Term("Testing AI models", "ai:AIDevelopment", explicit=True),
    "ai:FaceRecognition": Term("Recognising people by their faces", explicit=True),
    "ai:BiometricIdentification": Term("Identifying people by their bodies", explicit=True),
}

CATEGORIES: Mapping[str, Term] = {
    "pd:Picture": Term("Photographs of a person"),
    "pd:ProfilePicture": Term("The photograph on a profile", "pd:Picture"),
    "pd:Location": Term("Where a person is or was"),
    "pd:Country": Term("The country a person lives in", "pd:Location"),
    "pd:Demographic": Term("Age, gender, family and the like"),
    "pd:Age": Term("How old a person is", "pd:Demographic"),
    "pd:Gender": Term("A person's gender", "pd:Demographic"),
    "pd:Biometric": Term("Measures of a person's body", explicit=True),
    "pd:FacialPrint": Term("A template made from a face", "pd:Biometric", explicit=True),
    "pd:SexualPreference": Term("Whom a person is drawn to", explicit=True),
    "pd:Interest": Term("What a person likes"),
    "pd:Communication": Term("What people write to each other"),
}

FIELDS: Mapping[str, str] = {"photo": "the photograph itself, without any metadata"}


def covers(vocabulary: Mapping[str, Term], wider: str, narrower: str) -> bool:
    """True if a statement about `wider` also speaks of `narrower`; never the other way round."""
    term: str | None = narrower
    while term is not None:
        if term == wider:
            return True
        known = vocabulary.get(term)
        term = known.parent if known else None
    return False


def needs_explicit(purpose: str, category: str, special_category: bool) -> bool:
    """True if only explicit consent will do for this purpose and category."""
    terms = (PURPOSES.get(purpose), CATEGORIES.get(category))
    return special_category or any(term.explicit for term in terms if term)


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
