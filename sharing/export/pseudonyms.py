"""Names that mean nothing outside: keyed, and different for every partner."""

import hashlib
import hmac
from functools import partial

SUBJECT_HEX = 32  # 128 bits
OBJECT_HEX = 24  # 96 bits
VALUE_HEX = 32


class Pseudonyms:
    """Renames subjects and objects for one partner.

    The same name under the same key and partner always gives the same pseudonym, so that a later
    recall can name what was shared; two partners cannot join what they hold.
    """

    __slots__ = ("_object", "_subject", "_value")

    def __init__(self, key: bytes, partner: str) -> None:
        """`key` is secret, 32 bytes or more; `partner` is the partner's id."""
        if len(key) < 32:
            raise ValueError(f"A pseudonym key is at least 32 bytes, not {len(key)}.")
        self._subject = partial(hmac.digest, _derived(key, "subject", partner))
        self._object = partial(hmac.digest, _derived(key, "object", partner))
        self._value = partial(hmac.digest, _derived(key, "value", partner))

    def subject(self, subject: str) -> str:
        """32 lower-case hexadecimal digits."""
        return self._subject(_bytes(subject), "sha256").hex()[:SUBJECT_HEX]

    def object(self, path: str) -> str:
        """24 lower-case hexadecimal digits."""
        return self._object(_bytes(path), "sha256").hex()[:OBJECT_HEX]

    def value(self, column: str, value: str) -> str:
        """32 lower-case hexadecimal digits: equal values of one column have equal names."""
        return self._value(_bytes(f"{column}\x00{value}"), "sha256").hex()[:VALUE_HEX]


def _derived(key: bytes, kind: str, partner: str) -> bytes:
    """A key of its own for each kind of name, so that equal texts get unequal pseudonyms."""
    label = f"clearance pseudonym v1\x00{kind}\x00".encode() + _bytes(partner)
    return hmac.digest(key, label, hashlib.sha256)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
