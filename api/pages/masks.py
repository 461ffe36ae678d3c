"""The token of a session's forms as it stands in a page: masked anew in each, so that whoever sees
only how long compressed pages are cannot find it out letter by letter (BREACH)."""

import base64
import binascii
import secrets

LONG = 32  # bytes of a token, and of its mask


def masked(token: bytes) -> str:
    """The token for one page: a mask of random bytes, and the token under it."""
    mask = secrets.token_bytes(LONG)
    return base64.urlsafe_b64encode(mask + _over(mask, token)).decode()


def unmasked(sent: str) -> bytes:
    """The token that a form brings; nothing, which is no token, where no page made it."""
    try:
        whole = base64.b64decode(sent, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return _over(whole[:LONG], whole[LONG:]) if len(whole) == 2 * LONG else b""


def _over(mask: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, text, strict=True))
