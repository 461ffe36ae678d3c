"""Reads the template of agreements, refuses what is wrong, and says which one is in force."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sharing.agreement import AFTER, FACTS, PARAMETERS, PLACE, Kind, Span, Template, Term

_ACTION = re.compile(r"[a-z][a-z_]{0,59}\Z")
_SPAN = re.compile(r"([1-9][0-9]{0,4}|\{retention_days\}) (days|hours)\Z")
_WHOLE = ("version", "title", "text", *Kind)
_TERM = (
    "action", "text", "odrl", "purpose", "recipients", "within", "every", "after", "when", "unless",
)  # fmt: skip
# The actions of ODRL 2.2 that a term can be said to be about.
_ODRL = (
    "aggregate", "anonymize", "archive", "attribute", "compensate", "delete", "derive",
    "distribute", "extract", "index", "inform", "modify", "move", "obtainConsent", "read",
    "reproduce", "reviewPolicy", "sell", "transfer", "transform", "use", "watermark",
)  # fmt: skip
# Without these an agreement would not keep what is promised to the people in the data.
_NEEDED: tuple[tuple[Kind, str], ...] = (
    (Kind.PERMISSION, "use"),
    (Kind.PROHIBITION, "re_identify"),
    (Kind.PROHIBITION, "train_models"),
    (Kind.PROHIBITION, "onward_transfer"),
    (Kind.DUTY, "erase"),
    (Kind.DUTY, "attest_erasure"),
    (Kind.DUTY, "attest"),
    (Kind.DUTY, "notify_breach"),
    (Kind.DUTY, "obey_recall"),
    (Kind.DUTY, "allow_audit"),
)

_OWN: list[Template] = []


class AgreementError(ValueError):
    """A template that cannot be used: a sentence with the key and the cure."""


def in_force() -> Template:
    """The template of agreements that are drafted from now on."""
    return _OWN[0] if _OWN else _packaged()


def use(path: Path | None) -> None:
    """Puts a template of one's own in the place of the packaged one; None puts that back.

    For the start of a process. Raises AgreementError, and then nothing has changed.
    """
    own = [] if path is None else [read(_text(path))]
    _OWN[:] = own


def read(text: str) -> Template:
    """The template in a file. Raises AgreementError."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise AgreementError(f"it is not TOML: {failure}.") from None
    _known_keys("the file", whole, _WHOLE)
    terms = tuple(
        _term(kind, number, found)
        for kind in Kind
        for number, found in enumerate(_tables(kind, whole.get(kind, [])), 1)
    )
    _demand_whole(terms)
    return Template(
        _said("the file", whole, "version"),
        _said("the file", whole, "title"),
        _filling("the file", whole, "text"),
        terms,
        hashlib.sha256(text.encode()).hexdigest(),
    )


@cache
def _packaged() -> Template:
    return read(_text(Path(__file__).with_name("agreement.toml")))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise AgreementError(f"it cannot be read: {failure}.") from None


def _term(kind: Kind, number: int, found: Mapping[str, Any]) -> Term:
    where = f"{kind} {number}"
    action = _said(where, found, "action")
    if not _ACTION.match(action):
        raise AgreementError(
            f"{where}: `action` must be small letters and _, such as erase, not {action!r}."
        )
    where = f"{kind} {action}"
    _known_keys(where, found, _TERM)
    odrl = _one_of(where, found, "odrl", _ODRL)
    within, every = _span(where, found, "within"), _span(where, found, "every")
    after = _one_of(where, found, "after", AFTER)
    if (within or every) and (kind is not Kind.DUTY or after is None):
        raise AgreementError(
            f"{where}: `within` and `every` are for duties, and count from `after`: give that too, "
            f"one of {', '.join(AFTER)}."
        )
    if kind is Kind.DUTY and not (within or every):
        raise AgreementError(f'{where}: say when it is due, such as `within = "72 hours"`.')
    return Term(
        kind,
        action,
        _filling(where, found, "text"),
        odrl,
        _filling(where, found, "purpose") if "purpose" in found else None,
        _filling(where, found, "recipients") if "recipients" in found else None,
        within,
        every,
        after,
        _one_of(where, found, "when", FACTS),
        _one_of(where, found, "unless", FACTS),
    )


def _demand_whole(terms: tuple[Term, ...]) -> None:
    """Raises AgreementError where a term is there twice, or one that no agreement can do without
    is not there, or falls away for a reason of its own."""
    named = [(term.kind, term.action) for term in terms]
    for kind, action in named:
        if named.count((kind, action)) > 1:
            raise AgreementError(f"{kind} {action} is there twice; merge the two.")
    for kind, action in _NEEDED:
        if (kind, action) not in named:
            raise AgreementError(
                f'{kind} {action} is missing: add [[{kind}]], action = "{action}".'
            )
    for term in terms:
        approved = {"train_models": "trains_models", "onward_transfer": "onward_recipients"}
        if (term.kind, term.action) not in _NEEDED:
            continue
        if term.when is not None or term.unless not in (None, approved.get(term.action)):
            raise AgreementError(
                f"{term.kind} {term.action} must always be there: leave out `when` and `unless`."
            )


def _span(where: str, found: Mapping[str, Any], key: str) -> Span | None:
    if key not in found:
        return None
    match = _SPAN.match(str(found[key]))
    if match is None or (match[2] == "hours" and match[1].startswith("{")):
        raise AgreementError(
            f'{where}: `{key}` must be such as "30 days", "72 hours" or "{{retention_days}} days".'
        )
    return Span(match[2], None if match[1].startswith("{") else int(match[1]))


def _filling(where: str, found: Mapping[str, Any], key: str) -> str:
    """A text with places that can be filled."""
    text = _said(where, found, key)
    for name in PLACE.findall(text):
        if name not in PARAMETERS:
            raise AgreementError(
                f"{where}, `{key}`: {{{name}}} is not known. Use "
                f"{', '.join(f'{{{known}}}' for known in PARAMETERS)}."
            )
    if set("{}") & set(PLACE.sub("", text)):
        raise AgreementError(f"{where}, `{key}`: a brace stands alone; write {{name}} as a whole.")
    return text


def _said(where: str, found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AgreementError(f"{where}: say `{key}` in words.")
    return value.strip()


def _one_of(where: str, found: Mapping[str, Any], key: str, known: Any) -> str | None:
    value = found.get(key)
    if key in found and value not in known:
        raise AgreementError(f"{where}: `{key}` must be one of {', '.join(known)}, not {value!r}.")
    return value


def _known_keys(where: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            raise AgreementError(f"{where}: {key!r} is not known. Use {', '.join(known)}.")


def _tables(kind: Kind, found: Any) -> list[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise AgreementError(f"write each {kind} as [[{kind}]].")
    return list(found)
