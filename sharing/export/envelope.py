"""The outer form of what is signed: a DSSE envelope with one Ed25519 signature; and the seal's
inner one, an in-toto Statement v1.

Any DSSE verifier can check it. Ours also demands that the bytes are exactly those that `enveloped`
writes, so that not even an unused bit of base64 can differ without being noticed."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sharing.keys import signed_by

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:clearance:export:v1"


class BadEnvelope(Exception):
    """The envelope is not one, or was not signed by this key; the text is a sentence."""


def key_id(key: Ed25519PublicKey) -> str:
    """sha256 of the public key's 32 raw bytes, in hexadecimal."""
    return sha256(key.public_bytes_raw()).hexdigest()


def signer(envelope: bytes) -> str | None:
    """The key id that an envelope says it was signed by; None where it says nothing."""
    try:
        return str(json.loads(envelope)["signatures"][0]["keyid"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def signed(
    files: Sequence[tuple[str, str]], predicate: dict[str, Any], key: Ed25519PrivateKey
) -> bytes:
    """The envelope over (path, sha256 in hexadecimal) of each file, in the order given."""
    payload = rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": path, "digest": {"sha256": digest}} for path, digest in files],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )
    return enveloped(payload, PAYLOAD_TYPE, key)


def enveloped(payload: bytes, kind: str, key: Ed25519PrivateKey) -> bytes:
    """The envelope over a payload of that media type."""
    signature = key.sign(_signed_part(payload, kind))
    return _encoded(payload, kind, key_id(key.public_key()), signature)


def payload_of(envelope: bytes, kind: str, key: Ed25519PublicKey) -> bytes:
    """What is inside, once the signature has been checked; raises BadEnvelope."""
    payload, signature = _parts(envelope, kind)
    if not signed_by(key, signature, _signed_part(payload, kind)):
        raise BadEnvelope("The signature was not made by this key, or what it covers was changed.")
    if envelope != _encoded(payload, kind, key_id(key), signature):
        raise BadEnvelope("The envelope was changed around what is signed.")
    return payload


def opened(envelope: bytes, key: Ed25519PublicKey) -> dict[str, Any]:
    """The statement inside, once the signature has been checked; raises BadEnvelope."""
    payload = payload_of(envelope, PAYLOAD_TYPE, key)
    statement = json.loads(payload)
    if statement["_type"] != STATEMENT_TYPE or statement["predicateType"] != PREDICATE_TYPE:
        raise BadEnvelope("What is signed is not the statement of an export.")
    return dict(statement)


def _parts(envelope: bytes, kind: str) -> tuple[bytes, bytes]:
    try:
        outer = json.loads(envelope)
        if outer["payloadType"] != kind or len(outer["signatures"]) != 1:
            raise BadEnvelope(f"The envelope is not one of {kind} with one signature.")
        payload = base64.b64decode(outer["payload"], validate=True)
        return payload, base64.b64decode(outer["signatures"][0]["sig"], validate=True)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise BadEnvelope("The envelope is not a DSSE envelope.") from None


def _signed_part(payload: bytes, kind: str) -> bytes:
    """DSSE's pre-authentication encoding: the type is signed with the payload."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def _encoded(payload: bytes, kind: str, keyid: str, signature: bytes) -> bytes:
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(envelope, separators=(",", ":")).encode() + b"\n"
