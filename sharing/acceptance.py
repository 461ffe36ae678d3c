"""How a partner says yes to an agreement, and what its signatory signs."""

import base64
import binascii
from collections.abc import Mapping
from enum import StrEnum

from sharing.errors import Refused
from sharing.keys import public_key, signed_by

CONTEXT = "clearance-agreement-v1"


class Method(StrEnum):
    """By the request itself, by a registered key, or by a one-time link."""

    SUBMISSION = "submission"
    SIGNATURE = "signature"
    LINK = "link"


def to_sign(request_id: str, digest: str, agreement: str) -> str:
    """What a signatory signs: which request, which scope, which agreement. Nothing that was signed
    for one of them is worth anything for another."""
    return f"{CONTEXT}\n{request_id}\n{digest}\n{agreement}\n"


OF_AGREEMENT = "agreement. `to_sign` of the agreement has what is to be signed"


def demand_signature(
    keys: Mapping[str, str], signature: str, message: str, what: str = OF_AGREEMENT
) -> str:
    """The id of the key that signed the message; raises Refused if none of `keys` (id: key) did."""
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        given = b""
    for name, key in keys.items():
        if signed_by(public_key(key), given, message.encode()):
            return name
    raise Refused(
        "wrong_signature",
        "No key that is registered for this partner made this signature of this "
        f"{what}; an admin registers keys.",
    )
