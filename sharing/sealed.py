"""Sealing bytes to one reader: whoever stores them cannot open them.

X25519 with a key made for one sealing, HKDF-SHA256, ChaCha20-Poly1305: the shape of age's recipient
stanzas, without their files. What is sealed is bound to `about`, so that it opens nowhere else."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES, NONCE_BYTES = 32, 12
_LABEL = b"clearance sealed v1\x00"


class NotForUs(Exception):
    """It was sealed to another key, is about something else, or was changed."""


def seal(to: bytes, data: bytes, about: str) -> bytes:
    """`data` for the holder of a public key's (32 raw bytes) other half."""
    once, nonce = X25519PrivateKey.generate(), os.urandom(NONCE_BYTES)
    shared = once.exchange(X25519PublicKey.from_public_bytes(to))
    mine = once.public_key().public_bytes_raw()
    return mine + nonce + _cipher(shared, mine, to).encrypt(nonce, data, about.encode())


def unseal(key: X25519PrivateKey, sealed: bytes, about: str) -> bytes:
    """What was sealed to this key; raises NotForUs."""
    theirs, rest = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
    mine = key.public_key().public_bytes_raw()
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(theirs))
        cipher = _cipher(shared, theirs, mine)
        return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError) as failure:
        raise NotForUs from failure


def _cipher(shared: bytes, once: bytes, to: bytes) -> ChaCha20Poly1305:
    derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=once + to, info=_LABEL)
    return ChaCha20Poly1305(derive.derive(shared))
