"""Reads a file of vocabulary, the packaged one or a deployment's own, and refuses what is wrong."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("purposes", "categories", "recipients")
_NAME = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9-]*\Z")
_PARTS: Mapping[str, type] = {"label": str, "description": str, "parent": str, "explicit": bool}


class VocabularyError(ValueError):
    """A file of vocabulary that cannot be used: a sentence with the term and the cure."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the vocabulary. `parent` is the next wider term; None at the top.

    `explicit`: consent to it must be explicit, an action that does nothing else (GDPR 9(2)(a)).
    What lies below an explicit term is explicit too.
    """

    label: str
    parent: str | None = None
    explicit: bool = False
    description: str = ""


Terms = dict[str, dict[str, Term]]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One file: its version, and its terms by kind."""

    version: str
    terms: Terms


def read(text: str, beside: Vocabulary | None = None) -> Vocabulary:
    """The terms of a file. `beside` is the vocabulary that it extends: parents may be there, but
    its terms and its prefixes may not be taken. Raises VocabularyError."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise VocabularyError(f"it is not TOML: {failure}.") from None
    _known_keys("the file", whole, ("version", *KINDS))
    version = whole.get("version")
    if not isinstance(version, str) or not version.strip():
        raise VocabularyError('it has no version; write one at the top, `version = "1"`.')
    terms: Terms = {}
    for kind in KINDS:
        known = beside.terms[kind] if beside else {}
        terms[kind] = _terms(kind, whole.get(kind, {}), known)
    return Vocabulary(version, terms)


def _terms(kind: str, found: Any, beside: Mapping[str, Term]) -> dict[str, Term]:
    if not isinstance(found, dict):
        raise VocabularyError(f"{kind} must be a table of terms.")
    taken = {name.partition(":")[0] for name in beside}
    for name, parts in found.items():
        _demand_name(name, beside, taken)
        _demand_parts(name, parts)
    every: dict[str, Any] = {name: _parts(term) for name, term in beside.items()} | found
    return {name: _term(name, every) for name in found}


def _demand_name(name: str, beside: Mapping[str, Term], taken: set[str]) -> None:
    if not _NAME.match(name):
        raise VocabularyError(f"{name!r} is no term; write a prefix and a name, `own:Name`.")
    if name in beside:
        raise VocabularyError(f"{name} is defined already, and its meaning is not to be changed.")
    if name.partition(":")[0] in taken:
        raise VocabularyError(f"{name} takes a prefix that is not yours; use one of your own.")


def _demand_parts(name: str, parts: Any) -> None:
    if not isinstance(parts, dict):
        raise VocabularyError(f'{name} must be a table, such as {{ label = "In plain words" }}.')
    _known_keys(name, parts, tuple(_PARTS))
    for part, value in parts.items():
        if not isinstance(value, _PARTS[part]):
            kind = "true or false" if _PARTS[part] is bool else "text"
            raise VocabularyError(f"{name}: {part} must be {kind}.")
    if not parts.get("label", "").strip():
        raise VocabularyError(f"{name} has no label; say in plain words what it means.")


def _known_keys(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise VocabularyError(f"{where}: {key!r} is not known. Use {', '.join(known)}.")


def _parts(term: Term) -> dict[str, Any]:
    above = {} if term.parent is None else {"parent": term.parent}
    return {"label": term.label, "explicit": term.explicit, **above}


def _term(name: str, every: Mapping[str, Any]) -> Term:
    parts = every[name]
    above = any(every[wider].get("explicit") for wider in _above(name, every))
    if above and parts.get("explicit") is False:
        raise VocabularyError(
            f"{name} lies below a term that needs explicit consent; remove `explicit = false`."
        )
    return Term(
        parts["label"].strip(),
        parts.get("parent"),
        bool(parts.get("explicit")) or above,
        parts.get("description", "").strip(),
    )


def _above(name: str, every: Mapping[str, Any]) -> Iterator[str]:
    seen, at = {name}, every[name].get("parent")
    while at is not None:
        if at not in every:
            raise VocabularyError(f"{name}: there is no term {at} to be its parent.")
        if at in seen:
            raise VocabularyError(f"{name} lies above itself by way of {at}; break the circle.")
        seen.add(at)
        yield at
        at = every[at].get("parent")
