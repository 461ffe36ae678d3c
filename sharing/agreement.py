"""The agreement that a share is under: a template and a request become text and terms.

The terms are ODRL's: permissions, prohibitions, and duties with what they are due after. Every
term carries its own words, and the text is made of these words: a person and a machine read the
same list. Terms depend on nothing but the request's body, the partner and the template, so that a
partner can read them before it asks.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import rfc8785

from sharing.errors import bad_field
from sharing.offered import names_in_words
from sharing.vocabulary import PURPOSES

PARAMETERS = (
    "partner", "dataset", "fields", "purpose", "intended_use", "retention_days",
    "onward_recipients",
)  # fmt: skip
FACTS = ("trains_models", "onward_recipients")  # what a term can be made to hang on
AFTER = ("delivery", "breach", "recall", "request")
PLACE = re.compile(r"\{([^{}]*)\}")
MOST_DATES = 100  # of one duty that is due again and again
FURTHER = "Further terms, added by counsel:"

Terms = dict[str, Any]


class Kind(StrEnum):
    """The three kinds of terms that ODRL knows."""

    PERMISSION = "permission"
    PROHIBITION = "prohibition"
    DUTY = "duty"

    @property
    def plural(self) -> str:
        """The name of the list of them in an agreement."""
        return {"duty": "duties"}.get(self.value, f"{self.value}s")


@dataclass(frozen=True, slots=True)
class Span:
    """So many hours or days; without a count, as many days as the data may be kept."""

    unit: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One thing the recipient may, must not, or must do. `within` and `every` count from `after`.
    `when` and `unless` name a fact of the request without or with which the term falls away."""

    kind: Kind
    action: str
    text: str
    odrl: str | None = None
    purpose: str | None = None
    recipients: str | None = None
    within: Span | None = None
    every: Span | None = None
    after: str | None = None
    when: str | None = None
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """What an agreement is made from. `sha256` is that of the file."""

    version: str
    title: str
    text: str
    terms: tuple[Term, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Due:
    """A duty's date."""

    action: str
    at: datetime
    text: str


def drafted(
    template: Template, body: Mapping[str, Any], partner_id: str, partner_name: str
) -> Terms:
    """The agreement that a request with this body would be under, as JSON can hold it."""
    said = _parameters(body, partner_name)
    terms: Terms = {
        "template": {"version": template.version, "sha256": template.sha256},
        "title": template.title,
        "assignee": partner_id,
        "parameters": {
            **said,
            "retention_days": body["retention_days"],
            "trains_models": body["trains_models"],
            "onward_recipients": list(body["onward_recipients"]),
        },
        **{kind.plural: [] for kind in Kind},
    }
    clauses = [template.text.strip()]
    for term in (term for term in template.terms if _holds(term, body)):
        made = _written(term, said, body["retention_days"])
        terms[term.kind.plural].append(made)
        clauses.append(f"{len(clauses)}. {made['text']}")
    terms["text"] = "\n\n".join([template.title, _filled(clauses[0], said), *clauses[1:]])
    return terms


def with_term(terms: Mapping[str, Any], term: Term) -> Terms:
    """The same agreement with one more term, which is marked as added. Raises Refused for one that
    allows what the agreement forbids, or the other way round."""
    against = {Kind.PERMISSION: Kind.PROHIBITION, Kind.PROHIBITION: Kind.PERMISSION}.get(term.kind)
    if against and term.action in _actions(terms, against):
        raise bad_field(
            "action",
            f"{term.action} is a {against} of this agreement already: the two would contradict "
            "each other. What is asked for is changed by a revision.",
        )
    further = len(additions(terms)) + 1
    words = {
        Kind.PERMISSION: "The recipient may",
        Kind.PROHIBITION: "The recipient must not",
        Kind.DUTY: "The recipient must",
    }[term.kind]
    made = {**_written(term, {}, 0), "added": True}
    head = "" if further > 1 else f"\n\n{FURTHER}"
    text = f"{readable(terms)}{head}\n\n{further}. {words}: {_one_line(term.text)}"
    listed = {kind.plural: list(terms[kind.plural]) for kind in Kind}
    listed[term.kind.plural].append(made)
    return {**terms, **listed, "text": text}


def readable(terms: Mapping[str, Any]) -> str:
    """What a person reads; of an agreement from before there were texts, its terms as JSON."""
    text = terms.get("text")
    return text if isinstance(text, str) else json.dumps(terms, indent=2, sort_keys=True)


def told(body: Mapping[str, Any]) -> Term:
    """A term as counsel's order carries it: kind, action, text, and for a duty when it is due."""
    spans = {
        name: Span(unit, body[f"{name}_{unit}"])
        for name in ("within", "every")
        for unit in ("days", "hours")
        if f"{name}_{unit}" in body
    }
    return Term(
        Kind(body["kind"]),
        body["action"],
        body["text"],
        within=spans.get("within"),
        every=spans.get("every"),
        after=body.get("after"),
    )


def additions(terms: Mapping[str, Any]) -> list[Terms]:
    """How an agreement differs from its template: the terms that counsel added."""
    return [
        {"kind": str(kind), **term}
        for kind in Kind
        for term in terms.get(kind.plural, ())
        if isinstance(term, dict) and term.get("added")
    ]


def digest(terms: Mapping[str, Any]) -> str:
    """sha256, in hex, of text and terms as canonical JSON: what the legal decision names."""
    return hashlib.sha256(rfc8785.dumps(dict(terms))).hexdigest()


def due_dates(terms: Mapping[str, Any], delivered_at: datetime) -> list[Due]:
    """When each duty that counts from delivery is due, the earliest first. What is to be done
    again and again is due as long as the data may be kept."""
    kept = terms.get("parameters", {}).get("retention_days", 0)
    found = [
        Due(duty["action"], delivered_at + wait, duty["text"])
        for duty in terms.get("duties", ())
        if duty.get("after") == "delivery"
        for wait in _waits(duty, timedelta(days=kept))
    ]
    return sorted(found, key=lambda due: (due.at, due.action))


def _waits(duty: Mapping[str, Any], kept: timedelta) -> Sequence[timedelta]:
    within, every = _wait(duty, "within"), _wait(duty, "every")
    times = min(int(kept / every), MOST_DATES) if every else 0
    again = [n * every for n in range(1, times + 1)] if every else []
    return [*([within] if within else []), *again]


def _wait(duty: Mapping[str, Any], name: str) -> timedelta:
    return timedelta(days=duty.get(f"{name}_days", 0), hours=duty.get(f"{name}_hours", 0))


def _actions(terms: Mapping[str, Any], kind: Kind) -> list[str]:
    listed = terms[kind.plural]
    return [one["action"] if isinstance(one, dict) else one for one in listed]


def _holds(term: Term, body: Mapping[str, Any]) -> bool:
    return bool((term.when is None or body[term.when]) and not (term.unless and body[term.unless]))


def _parameters(body: Mapping[str, Any], partner_name: str) -> dict[str, str]:
    """What the places in a text stand for. What a partner wrote stays one quoted line, so that it
    cannot pass for a clause of its own."""
    named = PURPOSES.get(body["purpose"])
    return {
        "partner": _one_line(partner_name),
        "dataset": body["dataset"],
        "fields": names_in_words(body["scope"]["fields"]),
        "purpose": f"{body['purpose']} ({named.label})" if named else body["purpose"],
        "intended_use": f"“{_one_line(body['intended_use'])}”",
        "retention_days": str(body["retention_days"]),
        "onward_recipients": ", ".join(map(_one_line, body["onward_recipients"])) or "nobody",
    }


def _one_line(text: str) -> str:
    return " ".join(text.replace("“", '"').replace("”", '"').split())


def _filled(text: str, said: Mapping[str, str]) -> str:
    return PLACE.sub(lambda place: said[place[1]], text)


def _written(term: Term, said: Mapping[str, str], kept: int) -> Terms:
    """A term as an agreement holds it: words filled in, spans as numbers."""
    made: Terms = {"action": term.action, "text": _filled(term.text, said) if said else term.text}
    for name in ("odrl", "after"):
        if (value := getattr(term, name)) is not None:
            made[name] = value
    for name in ("purpose", "recipients"):
        if (value := getattr(term, name)) is not None:
            made[name] = _filled(value, said)
    for name in ("within", "every"):
        span: Span | None = getattr(term, name)
        if span is not None:
            made[f"{name}_{span.unit}"] = kept if span.count is None else span.count
    return made
