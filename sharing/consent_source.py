"""A consent source kept elsewhere: who it is, and when an answer of its feed may be believed.

An answer is believed as a whole or not at all: signed by the feed's key, for this question and no
other, made just now, and in the form of docs/consent-source.md."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from sharing.addresses import on_this_machine
from sharing.consent_line import FEED, Known, NewConsent, demand_known
from sharing.errors import Refused, bad_field
from sharing.keys import KeyProblem, public_key, signed_by
from sharing.settings import Settings, SettingsError

SIGNATURE, CHALLENGE = "Clearance-Signature", "Clearance-Challenge"
HIGHEST = 2**63 - 1
_SIGNED = re.compile(r"t=(\d{1,11}),v1=([A-Za-z0-9+/]{86}==)")


class Unbelieved(Exception):
    """An answer of a consent source that must not be used: says why, without a word from it."""


@dataclass(frozen=True, slots=True)
class ConsentSource:
    """A feed, the key that it signs with, and how old the last complete answer may be."""

    url: str
    key: Ed25519PublicKey
    age: timedelta
    token: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What the ledger calls it: another address is another source, with a place of its own."""
        parts = urlsplit(self.url)
        return f"{FEED}{parts.netloc}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class Demanded:
    """With which source the ledger must be up to date, and how long ago at most. Without a name:
    with whichever another process follows."""

    name: str | None
    age: timedelta


LEDGER_ALONE = Demanded(None, timedelta(seconds=Settings().consent_source_seconds))


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: what lies behind `after`, asked with a challenge that is never used again."""

    after: int
    limit: int
    at: datetime
    challenge: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def signed_text(self, t: str, body: bytes) -> bytes:
        """What the feed's signature is over."""
        return f"{t}.{self.challenge}.{self.after}.".encode() + body


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is believed. `events` as they came; `at` is when `complete` was true."""

    events: tuple[Mapping[str, Any], ...]
    next: int
    complete: bool
    at: datetime


def source_of(settings: Settings) -> ConsentSource | None:
    """The consent source that the settings name; None where the ledger stands alone. Raises
    SettingsError or KeyProblem where they are incomplete."""
    url, key = settings.consent_source_url, settings.consent_source_key
    if not url and not key:
        return None
    if not url or not key:
        missing = "KEY" if url else "URL"
        raise SettingsError(
            f"CLEARANCE_CONSENT_SOURCE_{missing} is not set. Give both the feed's address and its "
            "public key, or neither: then the ledger stands alone."
        )
    _demand_address(url)
    try:
        public = public_key(key)
    except KeyProblem:
        raise KeyProblem("CLEARANCE_CONSENT_SOURCE_KEY must be base64 of 32 bytes.") from None
    age = timedelta(seconds=settings.consent_source_seconds)
    return ConsentSource(url, public, age, settings.consent_source_token)


def _demand_address(url: str) -> None:
    if not _is_address(url):
        raise SettingsError(
            "CLEARANCE_CONSENT_SOURCE_URL must be https://HOST/PATH, without user, query and "
            "fragment; http:// only on this machine."
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        there = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address that cannot be
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and on_this_machine(url))
    return there and safe and not (parts.query or parts.fragment or "@" in parts.netloc)


def believed(
    source: ConsentSource, asked: Asked, header: str | None, body: bytes, now: datetime
) -> Page:
    """The answer to a question, `now` being when it was there; raises Unbelieved."""
    signed_at = _demand_signed(source, asked, header, body)
    if abs(now - signed_at) > source.age:
        raise Unbelieved("the answer was signed too long ago, or its clock is not ours")
    page = _page(body)
    if page.next < asked.after:
        raise Unbelieved(f"`next` is {page.next}, before {asked.after}: the feed went backwards")
    if page.next == asked.after and (page.events or not page.complete):
        raise Unbelieved(f"`next` is {page.next} still, although there is more")
    if len(page.events) > asked.limit:
        raise Unbelieved(f"{len(page.events)} events, where {asked.limit} were asked for")
    if page.at < asked.at - source.age:
        raise Unbelieved("`at` is too long ago: the feed itself is behind")
    return page


def _demand_signed(
    source: ConsentSource, asked: Asked, header: str | None, body: bytes
) -> datetime:
    """The moment of signing."""
    found = _SIGNED.fullmatch(header or "")
    if found is None:
        raise Unbelieved(f"there is no usable {SIGNATURE} header")
    try:
        signature = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        raise Unbelieved("the signature is not base64") from None
    if not signed_by(source.key, signature, asked.signed_text(found[1], body)):
        raise Unbelieved(
            "the signature does not fit: another key, another question's answer, or a changed body"
        )
    return datetime.fromtimestamp(int(found[1]), UTC)


def _page(body: bytes) -> Page:
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Unbelieved("the body is not JSON") from None
    if not isinstance(found, dict) or set(found) != {"events", "next", "complete", "at"}:
        raise Unbelieved("the body must have `events`, `next`, `complete`, `at`, and no more")
    events, place, complete = found["events"], found["next"], found["complete"]
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        raise Unbelieved("`events` must be a list of objects")
    if type(place) is not int or not 0 <= place <= HIGHEST:
        raise Unbelieved("`next` must be a whole number from 0")
    if not isinstance(complete, bool):
        raise Unbelieved("`complete` must be true or false")
    return Page(tuple(events), place, complete, _moment(found["at"]))


def _no_number(text: str) -> None:
    raise ValueError(text)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Unbelieved("`at` must be a time such as 2026-11-23T05:05:49Z")


def events_of(page: Page, name: str, known: Known) -> list[dict[str, Any]]:
    """A page's events as rows for the ledger, each under the feed's name and its own id there;
    raises Unbelieved where one of them would be refused from anybody."""
    return [_event(number, event, name, known) for number, event in enumerate(page.events, start=1)]


def _event(number: int, event: Mapping[str, Any], name: str, known: Known) -> dict[str, Any]:
    try:
        line = NewConsent.model_validate_json(json.dumps({**event, "source": name}))
        if line.source_id is None:
            raise bad_field("source_id", "is required.")
        demand_known(line, known)
    except ValidationError as failure:
        found = failure.errors(include_url=False, include_context=False, include_input=False)
        where = [str(part) for part in found[0]["loc"][:1] if part in NewConsent.model_fields]
        raise _bad(number, *where) from None
    except Refused as refused:
        raise _bad(number, *(error.path for error in refused.errors[:1])) from None
    return vars(line)


def _bad(number: int, field: str = "one that is not known") -> Unbelieved:
    """Names the field and never its value: this is told where subjects must not be."""
    return Unbelieved(f"event {number} of its answer has a field that cannot be accepted: {field}")
