"""A signature is worth something for one request, one scope and one agreement only."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.acceptance import demand_signature, to_sign
from sharing.errors import Refused
from sharing.keys import public_text

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {"key_other": public_text(OTHER), "key_own": public_text(KEY)}
MESSAGE = to_sign("req", "scope", "agreement")


def made(message: str, key: Ed25519PrivateKey = KEY) -> str:
    """A signature of a message."""
    return base64.b64encode(key.sign(message.encode())).decode()


def test_the_key_that_signed_is_told() -> None:
    """Of several keys the one that signed is named."""
    assert demand_signature(KEYS, made(MESSAGE), MESSAGE) == "key_own"


@pytest.mark.parametrize(
    "signature",
    [
        made(to_sign("req_other", "scope", "agreement")),
        made(to_sign("req", "other", "agreement")),
        made(to_sign("req", "scope", "other")),
        made("agreement"),
        made(MESSAGE, Ed25519PrivateKey.generate()),
        made(MESSAGE)[:-8],
        "not base64!",
        "",
    ],
    ids=range(8),
)
def test_what_is_no_signature_of_it(signature: str) -> None:
    """A signature of anything else, or by anybody else, is refused by name."""
    with pytest.raises(Refused) as refused:
        demand_signature(KEYS, signature, MESSAGE)
    assert refused.value.code == "wrong_signature"


def test_without_keys_nothing_is_signed() -> None:
    """A partner without a registered key accepts nothing by signature."""
    with pytest.raises(Refused):
        demand_signature({}, made(MESSAGE), MESSAGE)
