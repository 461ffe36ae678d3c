"""Ed25519 keys and secrets: read from settings, made on first use under a home of our own."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET_BYTES = 32


class KeyProblem(ValueError):
    """A key that is absent or malformed: says which and what to do."""


def secret(value: str, name: str) -> bytes:
    """32 secret bytes from base64 text, or from a file that holds such text."""
    if not value:
        raise KeyProblem(f"{name} is not set. Give base64 of 32 random bytes, or a file with it.")
    text = text_of(value)
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyProblem(f"{name} is neither base64 nor a file that can be read.") from None
    if len(raw) != SECRET_BYTES:
        raise KeyProblem(f"{name} holds {len(raw)} bytes; it must be {SECRET_BYTES}.")
    return raw


def text_of(value: str) -> str:
    """A secret as it is, or what stands in the file that it names."""
    return Path(value).read_text().strip() if value and Path(value).is_file() else value


def secret_file(path: Path) -> Path:
    """The file at `path`, made with 32 random bytes and mode 0600 if it is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(os.urandom(SECRET_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def signing_key(value: str, name: str) -> Ed25519PrivateKey:
    """An Ed25519 private key from its 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(secret(value, name))


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public half as base64 of its 32 raw bytes: how keys are shown and stored."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return base64.b64encode(public.public_bytes_raw()).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """A public key from `public_text`'s form; raises KeyProblem."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise KeyProblem("A public key is base64 of 32 bytes.") from None


def signed_by(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """True if `signature` over `message` was made by `key`'s private half."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
