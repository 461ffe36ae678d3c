"""Everything that Temporal stores of ours is encrypted, and bound to the workflow it belongs to.

A payload that is moved to another workflow does not decrypt. Errors are encrypted as well.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from sharing.keys import KeyProblem, secret

ENCODING = b"binary/clearance-aes256gcm"
NONCE_BYTES = 12
REFUSED = Payload(metadata={"encoding": b"binary/clearance-refused"})


class EncryptionCodec(PayloadCodec, WithSerializationContext):
    """AES-256-GCM. The first key encrypts; any of them decrypts, so that keys can be changed."""

    def __init__(self, keys: Mapping[bytes, AESGCM], bound_to: str = "") -> None:
        self._keys = keys
        self._first = next(iter(keys))
        self._bound_to = bound_to.encode()

    def with_context(self, context: SerializationContext) -> "EncryptionCodec":
        """The same codec for the payloads of one workflow."""
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return self
        return EncryptionCodec(self._keys, f"{context.namespace}/{context.workflow_id}")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypts whole payloads, their metadata included."""
        return [self._sealed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypts. What was not encrypted by us for this workflow becomes a payload that nothing
        can be made of: an update that carries it is refused, a signal is dropped. Raising here
        would fail every task of the workflow instead, for as long as the message is in its way."""
        return [self._opened(payload) or REFUSED for payload in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        box = self._keys[self._first].encrypt(nonce, payload.SerializeToString(), self._bound_to)
        return Payload(metadata={"encoding": ENCODING, "key": self._first}, data=nonce + box)

    def _opened(self, payload: Payload) -> Payload | None:
        key = self._keys.get(payload.metadata.get("key", b""))
        if payload.metadata.get("encoding") != ENCODING or key is None:
            return None
        nonce, box = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(key.decrypt(nonce, box, self._bound_to))
        except (InvalidTag, ValueError):  # it belongs to another workflow, or was altered
            return None


def _name(key: bytes) -> bytes:
    """How a payload says which key it was encrypted with."""
    return hashlib.sha256(key).hexdigest()[:16].encode()


def converter(payload_keys: str) -> DataConverter:
    """Temporal's JSON converter behind our encryption; raises KeyProblem if no key is set."""
    keys = [secret(part.strip(), "CLEARANCE_PAYLOAD_KEYS") for part in payload_keys.split(",")]
    if not keys:
        raise KeyProblem("CLEARANCE_PAYLOAD_KEYS is not set.")
    return replace(
        DataConverter.default,
        payload_codec=EncryptionCodec({_name(key): AESGCM(key) for key in keys}),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
