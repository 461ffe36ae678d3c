"""The keys that pseudonyms are made with, and which of them is a partner's.

A keyring is a file of its own: one key a line as base64, the newest first; a line that begins with
`#` is a comment. A key is named by its fingerprint, so that nobody has to keep names and keys
together, and what is recorded says nothing of the key."""

from hashlib import sha256
from pathlib import Path

from sharing.errors import Refused
from sharing.keys import KeyProblem, secret

NAME = "CLEARANCE_PSEUDONYM_KEY"
_LABEL = b"clearance pseudonym key\x00"


class Keyring:
    """Pseudonym keys by id. `newest` is for partners that have received nothing yet; `oldest` for
    those that had received something before it was recorded which key that was."""

    __slots__ = ("_keys",)

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = {key_id(key): key for key in keys}

    @property
    def newest(self) -> str:
        """The id of the key at the top."""
        return next(iter(self._keys))

    @property
    def oldest(self) -> str:
        """The id of the key at the bottom."""
        return next(reversed(self._keys))

    def key(self, name: str) -> bytes:
        """The key of that id; Refused where it is not in the ring, since another would give a
        partner new names for what it holds already."""
        try:
            return self._keys[name]
        except KeyError:
            raise Refused(
                "pseudonym_key_missing",
                f"The key {name}, with which this partner's pseudonyms are made, is not in "
                f"{NAME}: put it back as a further line of that file.",
            ) from None


def keyring(value: str) -> Keyring:
    """The ring that a setting names: base64 of one key, or a file with one a line, newest first.
    Raises KeyProblem."""
    if not value or not Path(value).is_file():
        return Keyring([secret(value, NAME)])
    lines = [line.strip() for line in Path(value).read_text().splitlines()]
    keys = [secret(line, NAME) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise KeyProblem(f"{NAME}: {value} holds no key. Write base64 of 32 random bytes into it.")
    return Keyring(keys)


def key_id(key: bytes) -> str:
    """16 hexadecimal digits that name a key and tell nothing of it."""
    return sha256(_LABEL + key).hexdigest()[:16]
