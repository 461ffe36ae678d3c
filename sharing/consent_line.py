"""One consent event as it comes from outside: what it must hold, wherever it comes in."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, StringConstraints

from sharing.collection import CONSENT_BASES, Method
from sharing.consent import ANYONE, Action
from sharing.errors import bad_field
from sharing.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line

FEED = "feed:"  # how the `source` of what came from a feed begins; nobody else may use it
CLOCKS_APART = timedelta(minutes=5)
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
    """What a line may name: notices by name and version, partners by id, and classes of them."""

    notices: frozenset[tuple[str, str]]
    partners: frozenset[str]
    latest: datetime


def demand_known(event: NewConsent, known: Known) -> None:
    """Raises Refused, naming the field, where an event names what is not on record, or a time that
    cannot be."""
    if (event.notice, event.notice_version) not in known.notices:
        raise bad_field("notice", f"there is no notice {event.notice} {event.notice_version}.")
    demand_recipient(event.recipient, known.partners)
    if event.at > known.latest:
        raise bad_field("at", "lies in the future.")
    if event.valid_until is not None and event.valid_until <= event.at:
        raise bad_field("valid_until", "must be later than `at`.")


def demand_recipient(recipient: str, partners: frozenset[str]) -> None:
    """Raises Refused unless this is anyone, or one of the partners and classes on record."""
    if recipient != ANYONE and recipient not in partners:
        raise bad_field(
            "recipient", "is neither '*' nor the id of a partner, nor a class of recipients."
        )
