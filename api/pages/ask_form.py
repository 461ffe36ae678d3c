"""The form by which a partner asks: what was typed becomes a body, and a body becomes the form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, select

from api.checking import Checked
from api.loose import LooseRequest
from api.pages.acts import Errors, lines
from api.pages.doors import Visit
from api.pages.words import field
from api.problems import field_errors
from sharing.errors import Refused
from sharing.legal import LEGAL_BASES, SPECIAL_BASES
from sharing.offered import Asked, Offer
from sharing.records import notices
from sharing.records.datasets import Dataset, offer_of
from sharing.request import FORMATS
from sharing.vocabulary import PURPOSES, covers

GROUPED = re.compile(r"[0-9]{1,3}(?:[ ,.'\u202f\u00a0][0-9]{3})+|[0-9]+")
LISTS = ("scope.fields", "onward_recipients")
LINES = ("title", "dataset", "purpose", "intended_use", "legal_basis", "sponsor")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form as it stands: what is in it, what may be chosen, what is wrong, and what the last
    look at it found. `told`: purposes that people were told of; others are offered on demand."""

    body: Mapping[str, Any]
    datasets: Mapping[str, str]
    fields: Mapping[str, str]
    told: Mapping[str, str]
    others: Mapping[str, str]
    errors: Mapping[str, str]
    checked: Checked | None = None
    outlook: Mapping[str, Any] | None = None
    refused: str = ""


BLANK: Mapping[str, Any] = {
    **dict.fromkeys(
        ("title", "dataset", "purpose", "intended_use", "legal_basis", "special_category_basis",
         "retention_days", "sponsor"),
        "",
    ),
    "trains_models": False,
    "onward_recipients": [],
    "scope": {"fields": [], "limit": "", "where": {"taken_after": "", "taken_before": ""}},
    "delivery": {"format": FORMATS[0], "push": ""},
}  # fmt: skip
CHOICES = {"bases": LEGAL_BASES, "specials": SPECIAL_BASES, "formats": FORMATS}


def typed(visit: Visit) -> LooseRequest:
    """The body that the form stands for; raises Refused for what no form of ours sends."""
    body: dict[str, Any] = {name: visit.sent(name) or None for name in LINES}
    body["special_category_basis"] = visit.sent("special_category_basis") or None
    body["retention_days"] = number(visit.sent("retention_days"))
    body["trains_models"] = visit.sent("trains_models") == "yes"
    body["onward_recipients"] = lines(visit.sent("onward_recipients"))
    days = {name: visit.sent(name) for name in ("taken_after", "taken_before") if visit.sent(name)}
    limit = number(visit.sent("limit"))
    body["scope"] = {"fields": visit.form.get("fields", []), "where": days, "limit": limit}
    body["delivery"] = {"format": visit.sent("format") or None, "push": visit.sent("push") or None}
    try:
        return LooseRequest.model_validate(body)
    except ValidationError as invalid:
        errors = field_errors(invalid, LooseRequest)
        told = " ".join(f"{one.path}: {one.message}" for one in errors)
        raise Refused("invalid_body", told, errors) from invalid


def as_typed(visit: Visit) -> Mapping[str, Any]:
    """What was typed, also where it is no body at all: nothing of it is lost."""
    try:
        return typed(visit).said()
    except Refused:
        days = {n: visit.sent(n) for n in ("taken_after", "taken_before")}
        rest = {
            "retention_days": visit.sent("retention_days"),
            "special_category_basis": visit.sent("special_category_basis"),
            "trains_models": visit.sent("trains_models") == "yes",
            "onward_recipients": lines(visit.sent("onward_recipients")),
            "scope": {"where": days, "limit": visit.sent("limit")},
            "delivery": {"format": visit.sent("format"), "push": visit.sent("push")},
        }
        return {**{name: visit.sent(name) for name in LINES}, **rest}


def sheet(
    session: Session,
    body: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    **more: Any,
) -> Sheet:
    """The form with this body in it."""
    rows = session.exec(select(Dataset).where(Dataset.index_version > 0).order_by(Dataset.name))
    known = {row.name: row for row in rows}
    name = body.get("dataset") or (next(iter(known)) if len(known) == 1 else "")
    dataset = known.get(str(name))
    told = _told(session, dataset)
    rest = {term: one.label for term, one in PURPOSES.items() if term not in told}
    fields = _fields(offer_of(dataset)) if dataset else {}
    whole = _filled(BLANK, {**body, "dataset": name})
    if len(fields) == 1 and "scope" not in body:
        whole["scope"]["fields"] = list(fields)
    return Sheet(
        whole,
        {one: "special" if row.special_category else "" for one, row in known.items()},
        fields,
        told,
        rest,
        Errors(_at_fields(errors or {})),
        **more,
    )


def _filled(blank: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with something in every field."""
    whole = {**blank, **{name: value for name, value in body.items() if value is not None}}
    return {
        name: _filled(under, whole[name]) if isinstance(under, Mapping) else whole[name]
        for name, under in blank.items()
    }


def _at_fields(errors: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, at the fields of the form, as sentences."""
    found: dict[str, str] = {}
    for path, words in errors.items():
        name = next((one for one in LISTS if path.startswith(one)), path)
        name = "scope.limit" if name == "scope" else name
        joined = " " if words.startswith(("is ", "must ", "cannot ")) else ": "
        found.setdefault(name, f"{field(name)}{joined}{words}")
    return found


def _fields(offer: Offer) -> dict[str, str]:
    """What may be asked of a dataset: `birthday:year` and how a person reads it."""
    found = [Asked(name, form, "") for name, forms in offer.fields().items() for form in forms]
    return {str(one): one.words for one in found}


def _told(session: Session, dataset: Dataset | None) -> dict[str, str]:
    """Purposes that a notice speaks of, and that the dataset may be shared for."""
    wide = {purpose for one in notices.terms(session).values() for purpose in one.purposes}
    allowed = dataset.purposes if dataset else None
    return {
        term: one.label
        for term, one in PURPOSES.items()
        if any(covers(PURPOSES, told, term) for told in wide)
        and (not allowed or any(covers(PURPOSES, told, term) for told in allowed))
    }


def number(said: str) -> int | str | None:
    """What was typed as a number, with or without groups; text that is none stays as it is."""
    if not GROUPED.fullmatch(said):
        return said or None
    return int(re.sub(r"\D", "", said)) if len(said) < 30 else said
