"""The register's fixed sentences: every summary is made of these, from what was recorded."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sharing.vocabulary import CATEGORIES, PURPOSES, Term

Entry = Mapping[str, Any]

OUTCOMES: Mapping[str, str] = {
    "open": "Being decided",
    "delivered": "Delivered",
    "refused": "Refused",
    "expired": "Ran out of time",
    "revoked": "Stopped before anything left",
    "withdrawn": "No longer asked for",
}

ASKED: Mapping[str, str] = {
    "purpose_review": "May data be used for this at all?",
    "consent_verification": "Did the people in the data agree to exactly this?",
    "conflict_signoff": "Does anybody here gain from the answer?",
    "legal_approval": "Is there a basis in law, and an agreement that binds?",
}

GATE: Mapping[str | None, str] = {
    "approved": "yes",
    "refused": "no",
    "returned": "sent back",
    "expired": "nobody answered in time",
    "undecidable": "could not be answered",
    None: "not reached",
}


def answer(stage: str, outcome: str | None) -> str:
    """What came of a gate, as the answer to its question: who asks whether anybody gains hopes for
    a no."""
    if stage == "conflict_signoff" and outcome in ("approved", "refused"):
        return "no" if outcome == "approved" else "yes"
    return GATE[outcome]


def label(terms: Mapping[str, Term], name: str) -> str:
    """What a term of the vocabulary is called; one that nobody knows as it is."""
    known = terms.get(name)
    return known.label if known else name


def purpose(entry: Entry) -> str:
    """What an entry's data was asked for."""
    return label(PURPOSES, entry["purpose"])


def data(entry: Entry) -> str:
    """What kinds of data an entry is about."""
    return "; ".join(label(CATEGORIES, one) for one in entry["categories"])


def day(at: date) -> str:
    """A day in words."""
    return f"{at.day} {at:%B %Y}"


def number(count: int) -> str:
    """A number in groups of three."""
    return f"{count:,}".replace(",", "\u202f")


def volume(given: Mapping[str, Any]) -> str:
    """A rounded number in words."""
    if given["about"] is None:
        return f"fewer than {number(given['below'])}"
    return f"about {number(given['about'])}"


def heading(entry: Entry) -> str:
    """An entry in a line."""
    if "recipient" not in entry:
        return "A request that is being decided" if entry["outcome"] == "open" else "A request"
    return f"{entry['recipient']}: {_soft(purpose(entry))}"


def summary(entry: Entry) -> str:
    """An entry for somebody who knows nothing of it, in fixed sentences."""
    if "recipient" not in entry:
        return _UNTOLD[entry["outcome"]]
    who = entry["recipient"]
    asked = (
        f"{who} asked for data of our users, at most {number(entry['asked_at_most'])} objects. "
        f"What it is: {_soft(data(entry))}. What for: {_soft(purpose(entry))}."
    )
    return " ".join([asked, *_ended(entry, who)])


_UNTOLD = {
    "open": "An organisation asks for data of our users. Who it is, what for, and what became of "
    "it is told here once it is decided.",
    "withdrawn": "An organisation asked for data of our users, and took the request back before "
    "it was decided. Nothing was handed over.",
}


_REVOKED = (
    "All four questions had been answered with yes; before anything left, one of the answers no "
    "longer held."
)


def _ended(entry: Entry, who: str) -> list[str]:
    match entry["outcome"]:
        case "delivered" if entry["delivered"]:
            return _delivered(entry, who)
        case "refused":
            return [*_refused_at(entry), "Nothing was handed over."]
        case "expired":
            return ["It was not decided, or not carried out, in time. Nothing was handed over."]
    return [_REVOKED, "Nothing was handed over."]


def _refused_at(entry: Entry) -> list[str]:
    at = next((gate["stage"] for gate in entry["gates"] if gate["outcome"] == "refused"), None)
    return ["It was refused at this question: " + ASKED[at]] if at else ["It was refused."]


def _delivered(entry: Entry, who: str) -> list[str]:
    gone = entry["delivered"]
    said = [
        f"Four people without an interest approved it. On {day(gone['on'])} {who} received "
        f"{volume(gone['objects'])} objects, only of people whose consent to this stood on that "
        f"day. It may keep them until {day(gone['keep_until'])}."
    ]
    if entry["trains_models"]:
        said.append("It trains models with them; what a model has learnt stays in it.")
    onward = ", ".join(entry["onward_recipients"])
    said.append(f"It may pass them on to: {onward}." if onward else "It may not pass them on.")
    if entry["to_come_back"]:
        people = volume(entry["to_come_back"])
        said.append(f"Of {people} people the data has to be erased, as their consent has ended.")
    return said


def _soft(words: str) -> str:
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
