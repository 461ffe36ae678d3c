"""Reads the file of jurisdiction rules, refuses what is wrong, and says which are in force."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sharing.jurisdiction import Needs, Rule, Rules
from sharing.vocabulary import CATEGORIES, PURPOSES

_COUNTRY, _GROUP = re.compile(r"[A-Z]{2}\Z"), re.compile(r"[A-Z]{2,10}\Z")
_PART = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}\Z")
_NEEDS: Mapping[str, Needs] = {
    "explicit": Needs.EXPLICIT,
    "written": Needs.WRITTEN,
    "never": Needs.NEVER,
}
_VERSION = ("version", "from", "reviewed_by", "places", "groups", "subdivisions", "rule")
_RULE = ("name", "where", "purposes", "categories", "special", "needs", "because")
_BEFORE = Rules("0", date.min, "nobody", frozenset(), {}, {}, ())  # knows no place: all is no

_OWN: list[Sequence[Rules]] = []


class JurisdictionError(ValueError):
    """A file of rules that cannot be used: a sentence with the rule and the cure."""


def in_force(at: datetime | None = None) -> Rules:
    """The rules of a moment (now, if none is given): of the versions that had begun, the latest."""
    day = (at or datetime.now(UTC)).astimezone(UTC).date()
    versions = _OWN[0] if _OWN else _packaged()
    return next((rules for rules in reversed(versions) if rules.since <= day), _BEFORE)


def use(path: Path | None) -> None:
    """Puts a file of one's own in the place of the packaged rules; None puts these back.

    For the start of a process, after the vocabulary. Raises JurisdictionError, and then nothing
    has changed.
    """
    own = [] if path is None else [read(_text(path))]
    _OWN[:] = own


def read(text: str) -> tuple[Rules, ...]:
    """All versions in a file, the oldest first. Raises JurisdictionError."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise JurisdictionError(f"it is not TOML: {failure}.") from None
    _known_keys("the file", whole, ("version",))
    found = whole.get("version")
    if not _tables(found) or not found:
        raise JurisdictionError("it holds no rules; write at least one [[version]].")
    versions = sorted((_version(one) for one in found), key=lambda rules: rules.since)
    for what in ("version", "since"):
        if len({getattr(rules, what) for rules in versions}) < len(versions):
            raise JurisdictionError("two versions have one name, or begin on one day; change one.")
    return tuple(versions)


@cache
def _packaged() -> tuple[Rules, ...]:
    return read(Path(__file__).with_name("jurisdictions.toml").read_text("utf-8"))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise JurisdictionError(f"it cannot be read: {failure}.") from None


def _version(found: Mapping[str, Any]) -> Rules:
    name = _said("a version", found, "version")
    where = f"version {name}"
    _known_keys(where, found, _VERSION)
    since = found.get("from")
    if not isinstance(since, date) or isinstance(since, datetime):
        raise JurisdictionError(f"{where}: `from` must be a day, such as 2026-01-31.")
    known = found.get("places", {})
    _known_keys(f"{where}, places", known, ("known",))
    groups = _lists(f"{where}, groups", found.get("groups", {}), _GROUP, _COUNTRY)
    parts = _lists(f"{where}, subdivisions", found.get("subdivisions", {}), _COUNTRY, _PART)
    places = frozenset(_codes(f"{where}, places", known.get("known", []), _COUNTRY)).union(
        *groups.values()
    )
    if strange := sorted(set(groups) & places):
        raise JurisdictionError(f"{where}: {strange[0]} is a country too; rename the group.")
    for country, listed in parts.items():
        if country not in places or not all(part.startswith(f"{country}-") for part in listed):
            raise JurisdictionError(f"{where}: list {country} as a place, and only its own parts.")
    rules = Rules(
        name, since, _said(where, found, "reviewed_by"), places, groups, parts,
        tuple(_rule(where, one) for one in _demand_tables(where, found.get("rule", []))),
    )  # fmt: skip
    for rule in rules.rules:
        for place in rule.where:
            if not rules.known(place):
                raise JurisdictionError(f"rule {rule.name}: {place} is not among the places.")
    return rules


def _rule(where: str, found: Mapping[str, Any]) -> Rule:
    name = _said(f"a rule of {where}", found, "name")
    where = f"rule {name}"
    _known_keys(where, found, _RULE)
    needs, special = found.get("needs"), found.get("special", False)
    if not isinstance(needs, str) or needs not in _NEEDS:
        raise JurisdictionError(f"{where}: `needs` must be one of {', '.join(_NEEDS)}.")
    if not isinstance(special, bool):
        raise JurisdictionError(f"{where}: `special` must be true or false.")
    places = _texts(where, "where", found.get("where", []))
    if not places:
        raise JurisdictionError(f"{where}: `where` names no place; a rule holds somewhere.")
    purposes = _texts(where, "purposes", found.get("purposes", []))
    categories = _texts(where, "categories", found.get("categories", []))
    for term, vocabulary in ((p, PURPOSES) for p in purposes):
        _demand_term(where, term, vocabulary)
    for term, vocabulary in ((c, CATEGORIES) for c in categories):
        _demand_term(where, term, vocabulary)
    because = _said(where, found, "because")
    return Rule(name, places, _NEEDS[needs], because, purposes, categories, special)


def _demand_term(where: str, term: str, vocabulary: Mapping[str, Any]) -> None:
    if term not in vocabulary:
        raise JurisdictionError(f"{where}: {term} is not in the vocabulary.")


def _said(where: str, found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise JurisdictionError(f"{where}: say `{key}` in words.")
    return value.strip()


def _known_keys(where: str, found: Any, known: tuple[str, ...]) -> None:
    if not isinstance(found, dict):
        raise JurisdictionError(f"{where} must be a table.")
    for key in found:
        if key not in known:
            raise JurisdictionError(f"{where}: {key!r} is not known. Use {', '.join(known)}.")


def _tables(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _demand_tables(where: str, found: Any) -> list[Mapping[str, Any]]:
    if not _tables(found):
        raise JurisdictionError(f"{where}: write each rule as [[version.rule]].")
    return list(found)


def _texts(where: str, key: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise JurisdictionError(f"{where}: `{key}` must be a list of texts.")
    return tuple(found)


def _codes(where: str, found: Any, form: re.Pattern[str]) -> frozenset[str]:
    codes = _texts(where, "the list", found)
    for code in codes:
        if not form.match(code):
            raise JurisdictionError(f"{where}: {code!r} is no code of ISO 3166.")
    return frozenset(codes)


def _lists(
    where: str, found: Any, name: re.Pattern[str], form: re.Pattern[str]
) -> dict[str, frozenset[str]]:
    if not isinstance(found, dict):
        raise JurisdictionError(f"{where} must be a table of lists.")
    for key in found:
        if not name.match(key):
            raise JurisdictionError(f"{where}: {key!r} is not a name to use here.")
    return {key: _codes(f"{where}, {key}", codes, form) for key, codes in found.items()}
