"""The words of the process as people read them. The keys are the API's own names."""

import re
from collections.abc import Mapping

from sharing.legal import LEGAL_BASES, SPECIAL_BASES
from sharing.vocabulary import CATEGORIES, PURPOSES

STAGES: Mapping[str, tuple[str, str]] = {
    "purpose_review": ("Purpose", "May data be used for this at all?"),
    "consent_verification": ("Consent", "Did the people in the data agree to exactly this?"),
    "conflict_signoff": ("Interests", "Does anybody here gain from the answer?"),
    "legal_approval": ("Law", "Is there a basis, and an agreement that binds?"),
    "export": ("Export", "The data is sealed and handed over."),
    "stewardship": ("Care", "Duties, recalls and erasure until the end."),
}

STATES: Mapping[str, str] = {
    "submitted": "Being checked by machine",
    "purpose_review": "At the purpose gate",
    "consent_verification": "At the consent gate",
    "conflict_signoff": "At the interests gate",
    "legal_approval": "At the law gate",
    "cleared": "Cleared, not yet exported",
    "exporting": "Being exported",
    "delivered": "Delivered",
    "closed": "Closed",
    "returned": "Returned to the partner",
    "refused": "Refused",
    "withdrawn": "Withdrawn by the partner",
    "expired": "Ran out of time",
    "revoked": "Revoked",
}

ROLES: Mapping[str, str] = {
    "partner": "partner",
    "purpose_reviewer": "purpose reviewer",
    "consent_steward": "consent steward",
    "conflict_officer": "conflict officer",
    "legal_counsel": "legal counsel",
    "engineer": "engineer",
    "auditor": "auditor",
    "admin": "administrator",
    "subject": "person in the data",
}

# Why somebody may not act, for a row of a list; the page of the request has the whole sentence.
WHYS: Mapping[str, str] = {
    "role": "not your role",
    "recused": "you are recused",
    "same_person": "you acted on it already",
    "sponsor": "you are its sponsor",
    "partner_staff": "you work for a partner",
    "declaration": "your statement of interests ran out",
    "enough": "no more approvals needed from you",
}

# The same on the page of a request, said to whom it is about.
TO_YOU: Mapping[str, str] = {
    "recused": "An interest that you declared, or that somebody declared for whom you act, leads "
    "to the partner: you are recused from this request.",
    "same_person": "You acted on this request before, and nobody acts twice on one.",
    "sponsor": "You are named as the one who wants this, so you never decide on it.",
    "partner_staff": "You work for a partner, and such people never decide.",
}

EXCLUDED: Mapping[str, str] = {
    "never_asked": "Never asked",
    "refused": "Said no",
    "withdrawn": "Took consent back",
    "revoked": "Consent ended by somebody else",
    "invalidated": "Consent found invalid",
    "expired": "Consent ran out",
    "wrong_purpose": "Agreed to another purpose",
    "wrong_category": "Agreed for other data",
    "wrong_recipient": "Agreed to other recipients",
    "not_explicit": "Did not agree explicitly",
    "old_notice": "Agreed under an older notice",
    "jurisdiction": "The law where they live says no",
    "unreadable": "The object cannot be read",
}

# Words that need a hint, in plain language.
GLOSSARY: Mapping[str, str] = {
    "digest": "A fingerprint of exactly what is asked, and of the policy it is judged under. "
    "If one answer changes, so does the fingerprint, and no earlier decision counts.",
    "gap": "The machine cannot tell. A person must; until then it counts as no.",
    "violation": "The check does not hold.",
    "compliant": "The check holds.",
    "gate": "One of four questions. A person answers each of them; one no is enough.",
    "recused": "Has a declared interest that leads to the partner, so must not act here.",
    "waiver": "Two people without an interest allowed somebody to act in spite of one.",
    "sponsor": "The person inside who wants this sharing. Never decides on it.",
    "revision": "One version of what is asked. Every change makes a new one.",
    "legal basis": "The reason in law (GDPR Article 6) why this processing may happen at all.",
    "special category": "Data that the law protects more strictly, such as faces that machines "
    "can recognise (GDPR Article 9).",
    "onward transfer": "The partner would pass the data on to somebody else.",
    "clearance": "Four approvals of the same digest, sealed. It runs out.",
    "in hand": "Somebody said that they are reading this. It keeps nobody from deciding.",
    "object": "One photo, or one row of the data.",
    "jurisdiction": "Where the law applies that the person lives under.",
    "shard": "A part of the export that one worker packs by itself, and again if it is lost.",
}

FIELDS: Mapping[str, str] = {
    "title": "Title",
    "dataset": "Dataset",
    "purpose": "Purpose",
    "intended_use": "Intended use",
    "scope.fields": "Fields",
    "scope.limit": "Objects, at most",
    "scope.where.taken_after": "Taken after",
    "scope.where.taken_before": "Taken before",
    "legal_basis": "Legal basis",
    "special_category_basis": "Basis for the special category",
    "retention_days": "Kept for, in days",
    "trains_models": "Trains models",
    "onward_recipients": "Passed on to",
    "sponsor": "Sponsor",
    "scope.where": "Filter",
    "delivery.format": "Delivered as",
    "delivery.push": "Bucket of yours",
    "policy": "Policy",
    "index": "State of the dataset",
}

FORMATS: Mapping[str, str] = {
    "webdataset": "Tar files that training tools read (WebDataset)",
    "objects": "Plain files, one for each object",
}

CHECKS: Mapping[str, str] = {
    "purpose_known": "The purpose is a known term",
    "purpose_allowed": "This data may serve this purpose",
    "intended_use": "The use is told in plain words",
    "sponsor": "A sponsor inside is named",
    "scope_size": "The amount asked for",
    "subjects_covered": "The people in the data agreed",
    "objects_excluded": "What is left out",
    "notice_covers": "The notice spoke of this",
    "notice_compatibility": "Older notices beside newer ones",
    "interests_screened": "Interests of people here",
    "names_alike": "Names that are only alike",
    "ownership_known": "Who owns the partner",
    "legal_basis": "Legal basis",
    "special_category_basis": "Basis for the special category",
    "retention": "How long it is kept",
    "models": "Training of models",
    "onward_transfer": "Passing it on",
    "privacy_promise": "Promises of our notices",
    "agreement_terms": "The agreement's terms",
}


def plain(name: object) -> str:
    """A name of the code as words: `take_back` becomes `take back`."""
    return str(name).replace("_", " ")


def sentence(name: object) -> str:
    """The same, with a capital."""
    words = plain(name)
    return words[:1].upper() + words[1:]


def roles(said: str) -> str:
    """A sentence of the API with its roles in words: `legal_counsel` becomes `legal counsel`."""
    return re.sub(r"[a-z]+_[a-z]+", lambda found: ROLES.get(found[0], found[0]), said)


def value(given: object) -> str:
    """An answer of a request as text."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list):
        return ", ".join(map(str, given)) or "nobody"
    if isinstance(given, int):
        return f"{given:,}".replace(",", "\u202f")
    return "nothing" if given is None else str(given)


def soft(words: str) -> str:
    """The same within a sentence: a small first letter, unless the word is an abbreviation."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def purpose(term: str) -> str:
    """A purpose by its label."""
    known = PURPOSES.get(term)
    return known.label if known else term


def category(term: str) -> str:
    """A data category by its label."""
    known = CATEGORIES.get(term)
    return known.label if known else term


def basis(term: str | None) -> str:
    """A legal basis in words."""
    named = term or ""
    return sentence(LEGAL_BASES.get(named) or SPECIAL_BASES.get(named) or named or "none given")


def stage(name: str | None) -> str:
    """A stage by its short word."""
    known = STAGES.get(name or "")
    return known[0] if known else plain(name or "")


def field(path: str) -> str:
    """An answer of a request by its name on the form."""
    return FIELDS.get(path) or sentence(path.replace(".", ": "))


def labelled(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of what is left out, under their words."""
    return {EXCLUDED.get(name, sentence(name)): n for name, n in counts.items()}


EVENTS: Mapping[str, str] = {
    "request.submitted": "Submitted",
    "request.amended": "Changed by the partner",
    "request.cleared": "Cleared",
    "request.delivered": "Delivered",
    "request.expired": "Ran out of time",
    "request.withdrawn": "Withdrawn by the partner",
    "comment.added": "A comment among colleagues",
    "comment.sent": "A comment between us and the partner",
    "previews.made": "Photos were drawn by lot, to be looked at",
    "decision.voided": "A decision counts no longer",
    "person.recused": "Somebody was recused",
    "gate.claimed": "Taken in hand",
    "gate.claim_released": "Given out of hand",
    "gate.assigned": "Assigned",
    "gate.reminded": "Reviewers were reminded",
    "gate.escalated": "Others were told",
}


def event(told: Mapping[str, object]) -> str:
    """What happened, in a line."""
    kind = str(told["type"])
    said = EVENTS.get(kind) or sentence(kind.replace(".", " "))
    where = f", {stage(str(told['stage'])).lower()}" if told.get("stage") else ""
    outcome = f": {plain(told['outcome'])}" if told.get("outcome") else ""
    return f"{said}{where}{outcome}"
