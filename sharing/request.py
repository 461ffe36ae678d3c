"""What a partner asks for: one revision of it, its canonical form and its digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import rfc8785

from sharing.errors import FieldError, Refused
from sharing.legal import LEGAL_BASES, SPECIAL_BASES
from sharing.offered import PHOTOS, Offer
from sharing.push import why_no_target
from sharing.vocabulary import PURPOSES

FORMATS = ("webdataset", "objects")
FILTERS = ("taken_after", "taken_before")


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a request's scope. `body` is what the partner sent, with every default set.

    `index` is the version of the dataset's index that the scope was drawn on, so that a dataset
    indexed again later does not silently widen what was approved. `policy` is the version of the
    policy that was in force when it was submitted, and that it is judged under.
    """

    request_id: str
    number: int
    partner_id: str
    age_recipient: str | None
    index: int
    body: Mapping[str, Any]
    policy: int = 1

    @property
    def digest(self) -> str:
        """sha256, in hex, of the canonical revision and the policy version it is judged under.

        The request and the revision's number are in it: a scope that comes back to an earlier
        one is still a new digest, so no voided decision can return to life (I6).
        """
        whole: dict[str, Any] = {
            "request": self.request_id,
            "revision": self.number,
            "partner": {"id": self.partner_id, "age_recipient": self.age_recipient},
            "policy": str(self.policy),
            "index": self.index,
            "body": dict(self.body),
        }
        return hashlib.sha256(rfc8785.dumps(whole)).hexdigest()


def check(body: Mapping[str, Any], offer: Offer | None = PHOTOS) -> None:
    """Refuses a body whose words are not in the vocabulary, or that asks for what the dataset does
    not offer (None: nobody knows what it does); names every bad field and the cure."""
    errors = [
        *_one_of("purpose", body["purpose"], tuple(PURPOSES)),
        *_one_of("legal_basis", body["legal_basis"], tuple(LEGAL_BASES)),
        *_one_of("delivery.format", body["delivery"]["format"], FORMATS),
        *_push(body["delivery"].get("push")),
        *(offer.problems(body["scope"]["fields"]) if offer else []),
        *_filters(body["scope"]["where"], dated=offer is None or offer.photos),
    ]
    if body["special_category_basis"] is not None:
        known = tuple(SPECIAL_BASES)
        errors += _one_of("special_category_basis", body["special_category_basis"], known)
    if errors:
        raise Refused(
            "invalid_body", " ".join(f"{e.path}: {e.message}" for e in errors), tuple(errors)
        )


def _one_of(path: str, value: str, known: tuple[str, ...]) -> list[FieldError]:
    if value in known:
        return []
    return [FieldError(path, f"{value!r} is not known. Use one of {', '.join(known)}.")]


def _push(url: str | None) -> list[FieldError]:
    odd = why_no_target(url) if url else None
    return [FieldError("delivery.push", odd)] if odd else []


def _filters(where: Mapping[str, Any], *, dated: bool) -> list[FieldError]:
    errors = []
    for name, value in where.items():
        if name not in FILTERS:
            errors += _one_of(f"scope.where.{name}", name, FILTERS)
        elif not dated:
            errors.append(
                FieldError(
                    f"scope.where.{name}", "rows of a table have no such time: leave it out."
                )
            )
        elif moment(value) is None:
            errors.append(FieldError(f"scope.where.{name}", "must be a date such as 2012-01-01."))
    return errors


def moment(value: object) -> datetime | None:
    """A date or RFC 3339 time as an aware UTC datetime; None if it is neither."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            day = date.fromisoformat(value)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter: a moment outside the calendar in UTC
        return None


def taken_within(scope: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """From when on and until when (not included) a scope's objects were taken; None: no bound."""
    after, before = (moment(scope["where"].get(name)) for name in FILTERS)
    return after, before
