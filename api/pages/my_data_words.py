"""The words of the page for the people in the data. The keys are the ledger's own names."""

from collections.abc import Mapping, Sequence

from sharing.vocabulary import CATEGORIES, PURPOSES

ACTIONS: Mapping[str, str] = {
    "given": "I said yes",
    "withdrawn": "I took it back",
    "refused": "I said no",
    "revoked": "Ended by somebody else",
    "invalidated": "Found not to have been a yes",
    "expired": "Ran out",
}

# Why a yes that nobody took back counts for nothing all the same.
SILENT: Mapping[str, str] = {
    "expired": "it ran out",
    "not_explicit": "it was not said by an act of its own, which this use needs",
    "old_notice": "the words you agreed to have been replaced by newer ones",
    "jurisdiction": "the law where you live asks for more than this",
    "withdrawn": "a part of it was taken back",
    "refused": "you said no to a part of it",
    "revoked": "somebody else ended a part of it",
    "invalidated": "it was found not to have been a yes",
}

# How the end of a consent came about, seen from what went out before.
ENDS: Mapping[str, str] = {
    "withdrawn": "You took your consent back",
    "refused": "You said no",
    "revoked": "Somebody else ended your consent",
    "invalidated": "Your consent was found not to have been one",
    "expired": "Your consent ran out",
}


def things(count: int, fields: Sequence[str]) -> str:
    """What went out, counted in words: `2 photos of you`."""
    one, many = ("photo", "photos") if "photo" in fields else ("entry", "entries")
    return f"{count:,}".replace(",", "\u202f") + f" {one if count == 1 else many} of you"


def purpose(term: str) -> str:
    """A purpose by its label; a term that nobody knows as it is."""
    known = PURPOSES.get(term)
    return known.label if known else term


def more(term: str) -> str:
    """What else there is to know of a purpose; empty if nothing."""
    known = PURPOSES.get(term)
    return (known.description or "") if known else ""


def data(terms: Sequence[str]) -> str:
    """Categories of data by their labels."""
    labels = [CATEGORIES[term].label if term in CATEGORIES else term for term in terms]
    return "; ".join(labels)
