"""Consent events as lines: which of them are good, and what is wrong with each of the others."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from api.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line
from api.idempotency import Json
from api.problems import in_our_words
from api.suggest import close_field
from sharing.collection import CONSENT_BASES, Method
from sharing.consent import ANYONE, Action
from sharing.errors import Refused, bad_field

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999, also in UTC.") from None


def _jurisdiction(value: str) -> str:
    if not _JURISDICTION.match(value):
        raise ValueError("must be a country such as DE, or a part of one such as US-IL.")
    return value


def _basis(value: str) -> str:
    if value not in CONSENT_BASES:
        known = ", ".join(CONSENT_BASES)
        raise ValueError(f"this ledger keeps consents only. Use one of {known}.")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(line)
]  # exactly as it was sent


class NewConsent(Body):
    """What one subject said, under which version of which notice, and until when it holds."""

    model_config = ConfigDict(strict=True, use_enum_values=True)

    subject: Reference
    purpose: PurposeTerm
    category: CategoryTerm
    recipient: Line
    action: Action
    explicit: Flag
    notice: Line
    notice_version: Line
    at: Moment
    valid_until: Moment | None = None
    jurisdiction: Annotated[str, AfterValidator(_jurisdiction)] | None = None
    source: Line
    source_id: Reference | None = None
    controller: Line | None = None
    lawful_basis: Annotated[str, AfterValidator(_basis)] | None = None
    method: Method | None = None
    minor: Flag | None = None
    evidence: Reference | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may name: notices by name and version, and partners by id."""

    notices: frozenset[tuple[str, str]]
    partners: frozenset[str]
    latest: datetime


@dataclass(slots=True)
class Sorted:
    """The good lines as rows with their numbers, and the bad ones with the reason."""

    good: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)


def read(kind: str, body: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) from 1; raises Refused for a body that is neither form."""
    if kind in LINES:
        return ((n, text) for n, text in enumerate(body.split(b"\n"), start=1) if text.strip())
    if kind != "application/json":
        raise Refused(
            "unsupported_media_type",
            "Send a JSON list as `application/json`, or one "
            "object a line as `application/x-ndjson`.",
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise Refused("invalid_json", f"Not JSON: {str(failure)[:200]}.") from None
    if not isinstance(found, list):
        raise bad_field(
            "body",
            "must be a JSON list of consent events; for one object a line, "
            "say `Content-Type: application/x-ndjson`.",
        )
    return ((n, json.dumps(item).encode()) for n, item in enumerate(found, start=1))


def sort_out(lines: Iterable[tuple[int, bytes]], known: Known) -> Sorted:
    """Each line on its own: a bad one does not hinder the others."""
    found = Sorted()
    for number, text in lines:
        try:
            event = NewConsent.model_validate_json(text)
            _demand_known(event, known)
        except ValidationError as failure:
            found.refused.append({"line": number, "reason": _reason(failure)})
        except Refused as failure:
            found.refused.append({"line": number, "reason": failure.detail})
        else:
            found.good.append(vars(event))
            found.numbers.append(number)
    return found


def _demand_known(event: NewConsent, known: Known) -> None:
    if (event.notice, event.notice_version) not in known.notices:
        raise bad_field("notice", f"there is no notice {event.notice} {event.notice_version}.")
    if event.recipient != ANYONE and event.recipient not in known.partners:
        raise bad_field("recipient", "is neither '*' nor the id of a partner.")
    if event.at > known.latest:
        raise bad_field("at", "lies in the future.")
    if event.valid_until is not None and event.valid_until <= event.at:
        raise bad_field("valid_until", "must be later than `at`.")


def _reason(failure: ValidationError) -> str:
    """The first thing that is wrong with a line, by the field's name."""
    error = failure.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in error["loc"]) or "line"
    if error["type"] == "extra_forbidden":
        close = close_field(NewConsent, error["loc"])
        return f"{path}: is not known." + (f" Did you mean {close!r}?" if close else "")
    return f"{path}: {in_our_words(error['msg'])}"
