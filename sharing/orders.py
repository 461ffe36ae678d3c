"""Orders: what a person or partner told the API to do, signed by the API.

They travel through the engine to the transaction that records them, and only there is the
signature looked at. Whoever reaches the engine's port can send messages, but cannot sign one.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.errors import Refused
from sharing.keys import public_key, signed_by

CONTEXT = b"clearance-order-v1\n"


class Verb(StrEnum):
    """Everything that can be told to a request."""

    SUBMIT = "submit"
    AMEND = "amend"
    DECIDE = "decide"
    TAKE_BACK = "take_back"
    TRIGGER = "trigger"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    LIMIT = "limit"
    WITHDRAW = "withdraw"
    ADD_TERMS = "add_terms"
    ACCEPT = "accept"
    PREVIEW = "preview"  # to the export worker: it changes nothing of the request


@dataclass(frozen=True, slots=True)
class Order:
    """One act. `actor` is a person's or a partner's id; `at` RFC 3339; `body` is the verb's own:

    submit, amend: the request body, with `index`, and for submit the idempotency key if any;
    decide: stage, outcome, reason, conditions, and where they are given agreement_digest (the
    version that was read), answers, role and sign_off; take_back: decision, reason; trigger:
    priority and limit_bytes_per_second, where they are given; confirm, cancel, pause, resume:
    export; limit: export, limit_bytes_per_second; add_terms: stage, term, agreement (the version
    it is added to);
    accept: stage, agreement, method, what that rests on; preview: role, and the key that what is
    made is sealed `to`.
    """

    id: str
    verb: Verb
    request_id: str
    actor: str
    at: str
    digest: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    signature: str = ""


def _message(order: Order) -> bytes:
    return CONTEXT + rfc8785.dumps(
        {
            "id": order.id,
            "verb": str(order.verb),
            "request": order.request_id,
            "actor": order.actor,
            "at": order.at,
            "digest": order.digest,
            "body": dict(order.body),
        }
    )


def signed(order: Order, key: Ed25519PrivateKey) -> Order:
    """The same order with the API's signature over every field."""
    return replace(order, signature=base64.b64encode(key.sign(_message(order))).decode())


def demand_signed(order: Order, verb: Verb, keys: Sequence[str]) -> None:
    """Raises Refused `forged_order` unless this is that verb, signed by one of the known keys."""
    try:
        signature = base64.b64decode(order.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    try:
        message = _message(order)
    except rfc8785.CanonicalizationError:  # no JSON of ours: signed by nobody
        keys, message = (), b""
    if order.verb != verb or not any(signed_by(public_key(k), signature, message) for k in keys):
        raise Refused("forged_order", "This order was not signed by the API: nothing was done.")
