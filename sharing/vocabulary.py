"""The controlled vocabulary: purposes, data categories and classes of recipients, with parents.

The terms are data (`vocabulary.toml`): those of the W3C Data Privacy Vocabulary (DPV 2.3) and its
AI and PD extensions that sharing needs. A deployment adds its own by a file, once, at its start.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sharing.vocabulary_file import KINDS, Term, Terms, Vocabulary, VocabularyError, read

__all__ = ["CATEGORIES", "PURPOSES", "RECIPIENTS", "Term", "VocabularyError"]

_PACKAGED = read(Path(__file__).with_name("vocabulary.toml").read_text("utf-8"))
_TERMS: Terms = {kind: {} for kind in KINDS}
_MARKS: dict[str, str] = {}

# Views of what is in force: whoever imported them sees a deployment's own terms too.
PURPOSES: Mapping[str, Term] = MappingProxyType(_TERMS["purposes"])
CATEGORIES: Mapping[str, Term] = MappingProxyType(_TERMS["categories"])
RECIPIENTS: Mapping[str, Term] = MappingProxyType(_TERMS["recipients"])


def use(path: Path | None) -> None:
    """Puts the packaged vocabulary in force, with the terms of a file of one's own added.

    For the start of a process, before anything is judged. Raises VocabularyError, and then nothing
    has changed.
    """
    own = Vocabulary("", {}) if path is None else read(_text(path), beside=_PACKAGED)
    for kind in KINDS:
        _TERMS[kind].clear()
        _TERMS[kind].update(_PACKAGED.terms[kind] | own.terms.get(kind, {}))
    _MARKS["version"] = "+".join(filter(None, (_PACKAGED.version, own.version)))
    _MARKS["digest"] = _digest()


def version() -> str:
    """The version in force: the packaged one's, then that of the deployment's own file."""
    return _MARKS["version"]


def digest() -> str:
    """sha256, in hex, of all that decides: terms, parents and what needs explicit consent."""
    return _MARKS["digest"]


def _digest() -> str:
    terms = {
        kind: {name: [term.parent, term.explicit] for name, term in _TERMS[kind].items()}
        for kind in KINDS
    }
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()


def covers(vocabulary: Mapping[str, Term], wider: str, narrower: str) -> bool:
    """True if a statement about `wider` also speaks of `narrower`; never the other way round."""
    term: str | None = narrower
    while term is not None:
        if term == wider:
            return True
        known = vocabulary.get(term)
        term = known.parent if known else None
    return False


def overlap(vocabulary: Mapping[str, Term], one: str, other: str) -> bool:
    """True if something may be both: one of the two lies above the other, or is not known here."""
    if one not in vocabulary or other not in vocabulary:
        return True
    return covers(vocabulary, one, other) or covers(vocabulary, other, one)


def needs_explicit(purpose: str, category: str, special_category: bool) -> bool:
    """True if only explicit consent will do for this purpose and category."""
    terms = (PURPOSES.get(purpose), CATEGORIES.get(category))
    return special_category or any(term.explicit for term in terms if term)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise VocabularyError(f"it cannot be read: {failure}.") from None


use(None)
