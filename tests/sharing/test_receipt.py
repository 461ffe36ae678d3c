"""Consent receipts: what they say, and that nothing of them can be changed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey

from sharing.consent import Action
from sharing.export.envelope import BadEnvelope, enveloped
from sharing.export.envelope import signed as sealed
from sharing.receipt import CONTEXT, PAYLOAD_TYPE, Record, Status, opened, receipt, signed

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
WHERE = "https://clearance.example/v1/me/withdrawals"
RECORD = Record(
    position=7,
    checkpoint="ab" * 32,
    subject="u-8821",
    controller="Acme",
    purpose="ai:ModelTraining",
    category="pd:ProfilePicture",
    recipient="*",
    recipient_name="Anyone",
    explicit=True,
    notice="privacy",
    notice_version="3",
    text_sha256="cd" * 32,
    texts={"en": "cd" * 32, "de": "ef" * 32},
    jurisdiction="US-IL",
    lawful_basis="gdpr:A9-2-a",
    source="app",
    statuses=(Status(Action.GIVEN, AT, 7, "web_form", AT + timedelta(days=365)),),
)
ENVELOPE = signed(receipt(RECORD, AT, WHERE), KEY)


def prefixes(value: Any) -> set[str]:
    """The prefixes of every name and type in JSON-LD."""
    if isinstance(value, list):
        return set().union(*map(prefixes, value))
    if not isinstance(value, dict):
        return set()
    names = {name for name in value if ":" in name} | {value.get("@type", "dct:x")}
    inner = set().union(*(prefixes(v) for n, v in value.items() if n != "@context"))
    return {name.partition(":")[0] for name in names} | inner


def test_a_receipt_has_the_fields_of_iso_27560() -> None:
    """Ids, controller, terms, notice with hashes, event, validity, place and way back are there."""
    told = opened(ENVELOPE, KEY.public_key())
    record = told["dpv:hasRecordOfActivity"]
    assert (told["@type"], record["@type"]) == ("dpv:ConsentReceipt", "dpv:ConsentRecord")
    assert len({told["dct:identifier"], record["dct:identifier"]}) == 2
    assert (record["dpv:hasDataSubject"], record["dpv:hasDataController"]) == ("u-8821", "Acme")
    process = record["dpv:hasProcess"]
    assert process["dpv:hasPurpose"] == "ai:ModelTraining"
    assert process["dpv:hasPersonalData"] == "pd:ProfilePicture"
    assert process["dpv:hasRecipient"]["dct:title"] == "Anyone"
    notice = record["dpv:hasNotice"]
    assert (notice["dct:hasVersion"], notice["clearance:sha256"]) == ("3", "cd" * 32)
    assert {t["dct:language"] for t in notice["clearance:text"]} == {"en", "de"}
    [status] = record["dpv:hasConsentStatus"]
    assert status["@type"] == "dpv:ConsentGiven"
    assert status["dpv:isIndicatedAtTime"] == "2026-06-01T12:00:00Z"
    assert status["dpv:hasDuration"]["rdf:value"]["@value"] == "2027-06-01T12:00:00Z"
    assert record["dpv:hasJurisdiction"] == "loc:US-IL"
    assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == WHERE


def test_every_name_is_explained_without_fetching_anything() -> None:
    """The context is a map in the receipt itself, and it has every prefix that is used."""
    told = opened(ENVELOPE, KEY.public_key())
    assert told["@context"] == dict(CONTEXT)
    assert prefixes(told) <= set(CONTEXT)
    assert {"dpv", "dct", "clearance"} <= prefixes(told)


def test_an_independent_verifier_accepts_it() -> None:
    """securesystemslib verifies the envelope, whose payload type is the receipt's own."""
    envelope = Envelope.from_dict(json.loads(ENVELOPE))
    raw = KEY.public_key().public_bytes_raw()
    key = SSlibKey(sha256(raw).hexdigest(), "ed25519", "ed25519", {"public": raw.hex()})
    envelope.verify([key], 1)
    assert envelope.payload_type == PAYLOAD_TYPE


@given(place=st.integers(0, len(ENVELOPE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(place: int, bit: int) -> None:
    """Whatever single bit of the file is changed, it holds no longer."""
    changed = bytearray(ENVELOPE)
    changed[place] ^= 1 << bit
    with pytest.raises(BadEnvelope):
        opened(bytes(changed), KEY.public_key())


@pytest.mark.parametrize("change", [ENVELOPE[:-1], ENVELOPE + b"\n", b"", b"{}", b"\xff"])
def test_more_or_less_than_the_file_is_noticed(change: bytes) -> None:
    """A file that is cut, lengthened or something else does not hold."""
    with pytest.raises(BadEnvelope):
        opened(change, KEY.public_key())


def test_another_key_does_not_open_it() -> None:
    """A receipt verifies by the key that signed it and by no other."""
    with pytest.raises(BadEnvelope):
        opened(ENVELOPE, Ed25519PrivateKey.generate().public_key())


def test_what_else_the_key_signed_is_no_receipt() -> None:
    """A seal, or any other payload, is not taken for a receipt, even by the same key."""
    payload = base64.b64decode(json.loads(ENVELOPE)["payload"])
    others = (
        sealed([("a", "00")], {}, KEY),
        enveloped(payload, "application/vnd.in-toto+json", KEY),
        enveloped(b'{"@type":"dpv:ConsentRecord"}', PAYLOAD_TYPE, KEY),
        enveloped(b"[]", PAYLOAD_TYPE, KEY),
    )
    for other in others:
        with pytest.raises(BadEnvelope):
            opened(other, KEY.public_key())
