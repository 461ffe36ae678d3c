"""Consent receipts: what a subject keeps of an event of the ledger, and anyone can verify.

A receipt is JSON-LD in the terms of the Data Privacy Vocabulary, with the fields of ISO/IEC TS
27560, in a DSSE envelope of its own payload type. Its context is in it: nothing is fetched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sharing.consent import ANYONE, Action
from sharing.export.envelope import BadEnvelope, enveloped, payload_of

PAYLOAD_TYPE = "application/vnd.clearance.consent-receipt+json"
RECEIPT, RECORD = (
    f"https://w3id.org/dpv/schema/dpv-27560#{kind}" for kind in ("receipt", "record")
)
_ID, _TIME = {"@type": "@id"}, {"@type": "xsd:dateTime"}
CONTEXT: Mapping[str, Any] = {
    "ai": "https://w3id.org/dpv/ai#",
    "clearance": "urn:clearance:receipt:v1:",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": _ID,
    "dct:created": _TIME,
    "dpv:hasJurisdiction": _ID,
    "dpv:hasLegalBasis": _ID,
    "dpv:hasPersonalData": _ID,
    "dpv:hasPurpose": _ID,
    "dpv:isExercisedAt": _ID,
    "dpv:isIndicatedAtTime": _TIME,
    "dpv:isIndicatedBy": _ID,
}
_STATUS: Mapping[Action, str] = {action: f"dpv:Consent{action.title()}" for action in Action}
_BY_THE_SUBJECT = frozenset({Action.GIVEN, Action.REFUSED, Action.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Status:
    """What happened to a consent, when, how, and how long it holds."""

    action: Action
    at: datetime
    position: int
    method: str | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One event of the ledger, with what its words stand for. `statuses` begins with the event's
    own; a second one is what ended it. `texts`: sha256 of the notice, by language. `checkpoint`:
    the hash of the ledger's checkpoint that covers the event."""

    position: int
    checkpoint: str
    subject: str
    controller: str
    purpose: str
    category: str
    recipient: str
    recipient_name: str
    explicit: bool
    notice: str
    notice_version: str
    text_sha256: str | None
    texts: Mapping[str, str]
    jurisdiction: str | None
    lawful_basis: str | None
    source: str
    statuses: tuple[Status, ...]


def receipt(record: Record, issued: datetime, withdraw_at: str) -> dict[str, Any]:
    """The receipt as JSON-LD. `withdraw_at` is the address that takes a withdrawal."""
    record_id = str(uuid5(NAMESPACE_OID, f"{record.checkpoint}/{record.position}"))
    receipt_id = str(uuid5(NAMESPACE_OID, f"{record_id}/{_time(issued)}"))
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt_id,
        "dct:conformsTo": RECEIPT,
        "dct:created": _time(issued),
        "dct:publisher": record.controller,
        "dpv:hasRecordOfActivity": {
            "@id": f"urn:uuid:{record_id}",
            "@type": "dpv:ConsentRecord",
            "dct:identifier": record_id,
            "dct:conformsTo": RECORD,
            "dpv:hasDataSubject": record.subject,
            "dpv:hasDataController": record.controller,
            "dpv:hasLegalBasis": record.lawful_basis or _basis(record),
            **({"dpv:hasJurisdiction": f"loc:{place}"} if (place := record.jurisdiction) else {}),
            "dpv:hasProcess": _process(record),
            "dpv:hasNotice": _notice(record),
            "dpv:hasConsentStatus": [_status(status) for status in record.statuses],
            "dpv:hasConsentControl": _control(record, withdraw_at),
            "clearance:position": record.position,
            "clearance:checkpoint": record.checkpoint,
            "clearance:source": record.source,
        },
    }


def signed(content: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The receipt in its envelope."""
    return enveloped(rfc8785.dumps(dict(content)), PAYLOAD_TYPE, key)


def opened(envelope: bytes, key: Ed25519PublicKey) -> dict[str, Any]:
    """The receipt inside, once the signature has been checked; raises BadEnvelope."""
    content = json.loads(payload_of(envelope, PAYLOAD_TYPE, key))
    if not isinstance(content, dict) or content.get("@type") != "dpv:ConsentReceipt":
        raise BadEnvelope("What is signed is not a consent receipt.")
    return content


def _basis(record: Record) -> str:
    return "dpv:ExplicitlyExpressedConsent" if record.explicit else "dpv:Consent"


def _process(record: Record) -> dict[str, Any]:
    named = {"@type": "dpv:Recipient", "dct:title": record.recipient_name}
    known = record.recipient if ":" in record.recipient else f"urn:clearance:{record.recipient}"
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": record.purpose,
        "dpv:hasPersonalData": record.category,
        "dpv:hasRecipient": named if record.recipient == ANYONE else {"@id": known, **named},
    }


def _notice(record: Record) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentNotice",
        "dct:title": record.notice,
        "dct:hasVersion": record.notice_version,
        **({"clearance:sha256": record.text_sha256} if record.text_sha256 else {}),
        "clearance:text": [
            {"dct:language": language, "clearance:sha256": digest}
            for language, digest in sorted(record.texts.items())
        ],
    }


def _status(status: Status) -> dict[str, Any]:
    mine = status.action in _BY_THE_SUBJECT
    told: dict[str, Any] = {
        "@type": _STATUS[status.action],
        "dpv:isIndicatedBy": "dpv:DataSubject" if mine else "dpv:DataController",
        "dpv:isIndicatedAtTime": _time(status.at),
        "clearance:position": status.position,
    }
    if status.method is not None:
        told["dpv:hasIndicationMethod"] = status.method
    if status.valid_until is not None:
        until = {"@value": _time(status.valid_until), "@type": "xsd:dateTime"}
        told["dpv:hasDuration"] = {"@type": "dpv:UntilTimeDuration", "rdf:value": until}
    return told


def _control(record: Record, withdraw_at: str) -> dict[str, Any]:
    wish = {"purpose": record.purpose, "category": record.category, "recipient": record.recipient}
    return {
        "@type": "dpv:WithdrawConsent",
        "dpv:isExercisedAt": withdraw_at,
        "dct:description": "POST this body with your own token; no reason is asked for. An empty "
        f"body, {{}}, takes back everything: {json.dumps(wish)}",
    }


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
