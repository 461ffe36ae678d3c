"""Gate 4, legal approval: the basis, the special category basis, retention, and the agreement."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from sharing.findings import Finding, compliant, gap, violation

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
NEEDED_TERMS = ("permissions", "prohibitions", "duties")


def agreement_terms(body: Mapping[str, Any], partner_id: str) -> dict[str, Any]:
    """The agreement that this request would be under: ODRL's permissions, prohibitions, duties."""
    prohibitions = ["re_identify", "combine_with_other_data"]
    if not body["trains_models"]:
        prohibitions.append("train_models")
    if not body["onward_recipients"]:
        prohibitions.append("onward_transfer")
    return {
        "assignee": partner_id,
        "permissions": [
            {
                "action": "use",
                "purpose": body["purpose"],
                "dataset": body["dataset"],
                "onward_recipients": list(body["onward_recipients"]),
            }
        ],
        "prohibitions": prohibitions,
        "duties": [
            {"action": "erase", "within_days": body["retention_days"]},
            {"action": "attest_erasure", "within_days": body["retention_days"]},
            {"action": "notify_breach", "within_hours": 72},
            {"action": "obey_recall", "within_days": 30},
        ],
    }


def agreement_digest(terms: Mapping[str, Any]) -> str:
    """sha256, in hex, of the terms as canonical JSON: what the legal decision names."""
    return hashlib.sha256(rfc8785.dumps(dict(terms))).hexdigest()


def review(
    body: Mapping[str, Any], special_category: bool, terms: Mapping[str, Any], retention_max: int
) -> list[Finding]:
    """The findings of gate 4, for counsel to read before deciding."""
    return [
        _basis(body["legal_basis"]),
        _special(body["special_category_basis"], special_category),
        _retention(body["retention_days"], retention_max),
        _models(body["purpose"], body["trains_models"]),
        _onward(body["onward_recipients"]),
        _agreement(terms),
    ]


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


def _agreement(terms: Mapping[str, Any]) -> Finding:
    missing = [name for name in NEEDED_TERMS if not terms.get(name)]
    if missing:
        return violation("agreement_terms", f"The agreement lacks {', '.join(missing)}.")
    duties = ", ".join(duty["action"] for duty in terms["duties"])
    return compliant("agreement_terms", f"Duties: {duties}.")
