"""Gate 4, legal approval: the basis, the special category basis, retention, and the agreement."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sharing.errors import bad_field
from sharing.findings import Finding, compliant, gap, violation
from sharing.stages import Outcome, Result

LEGAL_BASES: Mapping[str, str] = {
    "gdpr:A6-1-a": "consent",
    "gdpr:A6-1-b": "performance of a contract",
    "gdpr:A6-1-c": "legal obligation",
    "gdpr:A6-1-d": "vital interests",
    "gdpr:A6-1-e": "public interest",
    "gdpr:A6-1-f": "legitimate interests",
}
SPECIAL_BASES: Mapping[str, str] = {
    "gdpr:A9-2-a": "explicit consent",
    "gdpr:A9-2-b": "employment and social security",
    "gdpr:A9-2-c": "vital interests",
    "gdpr:A9-2-d": "non-profit bodies",
    "gdpr:A9-2-e": "made public by the subject",
    "gdpr:A9-2-f": "legal claims",
    "gdpr:A9-2-g": "substantial public interest",
    "gdpr:A9-2-h": "health care",
    "gdpr:A9-2-i": "public health",
    "gdpr:A9-2-j": "archiving and research",
}
# What a recipient has to do, as people say it.
DUTIES: Mapping[str, str] = {
    "erase": "erase everything",
    "attest_erasure": "attest the erasure",
    "attest": "attest that it keeps the terms",
    "notify_breach": "tell of a breach",
    "obey_recall": "erase what is recalled",
    "allow_audit": "let an auditor look",
}
NEEDED_TERMS = ("permissions", "prohibitions", "duties")


# A violation of these is answered in words by whoever approves all the same.
ANSWERED_IN_WORDS = ("privacy_promise",)


def review(
    body: Mapping[str, Any],
    special_category: bool,
    terms: Mapping[str, Any],
    retention_max: int,
    broken: Sequence[str] = (),
    fields: str = "photo",
) -> list[Finding]:
    """The findings of gate 4, for counsel to read before deciding. `broken`: each promise of a
    notice that the request goes against, as a sentence; `fields`: what is shared, in words."""
    return [
        _basis(body["legal_basis"]),
        _special(body["special_category_basis"], special_category),
        compliant("fields_shared", f"Of each subject: {fields}."),
        _retention(body["retention_days"], retention_max),
        _models(body["purpose"], body["trains_models"]),
        _onward(body["onward_recipients"]),
        *_pushed(body),
        _promises(broken),
        _agreement(terms),
    ]


def demand_answered(
    findings: Sequence[Finding], outcome: Outcome, answers: Mapping[str, str]
) -> None:
    """Raises Refused for an approval that leaves a violation without the word that it needs, and
    for answers to what was not found."""
    known = [found.check for found in findings]
    for check in answers:
        if check not in known:
            raise bad_field(
                f"answers.{check}", f"is no finding of this gate: use one of {', '.join(known)}."
            )
    for found in findings:
        open_violation = found.check in ANSWERED_IN_WORDS and found.result is Result.VIOLATION
        answered = answers.get(found.check, "").strip()
        if open_violation and outcome is Outcome.APPROVED and not answered:
            raise bad_field(
                f"answers.{found.check}",
                f"is required to approve all the same: say in words why this holds although: "
                f"{found.detail}",
            )


def _basis(basis: str) -> Finding:
    if basis == "gdpr:A6-1-a":
        return compliant("legal_basis", "Consent, verified per subject at gate 2 and at release.")
    return gap("legal_basis", f"{LEGAL_BASES.get(basis, basis)}: counsel must say why it holds.")


def _special(basis: str | None, special_category: bool) -> Finding:
    if not special_category:
        return compliant("special_category_basis", "The dataset is no special category.")
    if basis is None:
        return violation("special_category_basis", "A special category needs a basis of Article 9.")
    if basis == "gdpr:A9-2-a":
        return compliant("special_category_basis", "Explicit consent, verified per subject.")
    return gap("special_category_basis", f"{SPECIAL_BASES.get(basis, basis)}: counsel must judge.")


def _retention(days: int, longest: int) -> Finding:
    if days > longest:
        return violation("retention", f"{days} days asked; at most {longest} are allowed.")
    return compliant("retention", f"{days} days, then erased and attested.")


def _models(purpose: str, trains_models: bool) -> Finding:
    if trains_models and not purpose.startswith("ai:"):
        return violation("models", f"Models would be trained, but {purpose} does not say so.")
    return compliant("models", "Models may be trained." if trains_models else "No model training.")


def _onward(recipients: list[str]) -> Finding:
    if recipients:
        return gap("onward_transfer", f"Would be passed on to {', '.join(recipients)}.")
    return compliant("onward_transfer", "Nobody else receives it.")


def _pushed(body: Mapping[str, Any]) -> list[Finding]:
    """Whose a bucket is, no machine can say: where there is one, counsel is asked."""
    place = body.get("delivery", {}).get("push")
    told = f"Would be pushed to {place}: is that the partner's own?"
    return [gap("delivery_place", told)] if place else []


def _promises(broken: Sequence[str]) -> Finding:
    if broken:
        return violation("privacy_promise", " ".join(broken))
    return compliant("privacy_promise", "No promise of a notice on record speaks against it.")


def _agreement(terms: Mapping[str, Any]) -> Finding:
    missing = [name for name in NEEDED_TERMS if not terms.get(name)]
    if missing:
        return violation("agreement_terms", f"The agreement lacks {', '.join(missing)}.")
    duties = [duty_in_words(duty["action"]) for duty in terms["duties"]]
    told = "; ".join(dict.fromkeys(duties))
    return compliant("agreement_terms", f"The recipient has to: {told}.")


def duty_in_words(action: str) -> str:
    """A duty as people say it; one of counsel's own as counsel named it."""
    return DUTIES.get(action) or re.sub("(?<=[a-z])(?=[A-Z])|_", " ", action).lower()
