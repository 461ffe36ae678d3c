"""Consent events as lines: which of them are good, and what is wrong with each of the others."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from api.idempotency import Json
from api.problems import line_error
from sharing.consent_line import FEED, Known, NewConsent, demand_known
from sharing.errors import Refused, bad_field

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


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
            _demand_own_name(event)
            demand_known(event, known)
        except ValidationError as failure:
            found.refused.append({"line": number, "reason": line_error(failure, NewConsent)})
        except Refused as failure:
            found.refused.append({"line": number, "reason": failure.detail})
        else:
            found.good.append(vars(event))
            found.numbers.append(number)
    return found


def _demand_own_name(event: NewConsent) -> None:
    if event.source.startswith(FEED):
        raise bad_field(
            "source",
            f"names that begin with {FEED!r} are those of consent sources that are followed.",
        )
