"""The keys that pseudonyms are made with: read from one file, the newest first."""

import base64
from pathlib import Path

import pytest

from sharing.errors import Refused
from sharing.keyring import key_id, keyring
from sharing.keys import KeyProblem

OLD, NEW = bytes(32), bytes(range(32))


def text(key: bytes) -> str:
    """A key as a file holds it."""
    return base64.b64encode(key).decode()


def ring_file(folder: Path, *lines: str) -> str:
    """The path of a file with these lines."""
    file = folder / "pseudonym.key"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def test_one_key_is_a_ring() -> None:
    """A setting that is one key, as it always was, is a ring of that key."""
    ring = keyring(text(OLD))
    assert ring.newest == ring.oldest == key_id(OLD)
    assert ring.key(ring.newest) == OLD


def test_the_first_line_is_the_newest(tmp_path: Path) -> None:
    """Of several lines the first is for new partners; comments and empty lines do not count."""
    ring = keyring(ring_file(tmp_path, "# since June", text(NEW), "", text(OLD)))
    assert (ring.newest, ring.oldest) == (key_id(NEW), key_id(OLD))
    assert [ring.key(ring.newest), ring.key(ring.oldest)] == [NEW, OLD]


def test_a_key_that_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    """A ring never puts another key in the place of one that it has lost."""
    with pytest.raises(Refused, match=key_id(OLD)) as refused:
        keyring(ring_file(tmp_path, text(NEW))).key(key_id(OLD))
    assert refused.value.code == "pseudonym_key_missing"


def test_an_id_tells_nothing_of_its_key() -> None:
    """A key's id is a hash under a label of its own, not a part of the key or its plain hash."""
    import hashlib

    assert key_id(NEW) not in NEW.hex()
    assert key_id(NEW) != hashlib.sha256(NEW).hexdigest()[:16]


@pytest.mark.parametrize("lines", [("",), ("# nothing",), ("AAAA",), ("not base64!",)], ids=str)
def test_a_bad_ring_says_which_setting(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """A file without a key, or with a line that is none, names the setting."""
    with pytest.raises(KeyProblem, match="CLEARANCE_PSEUDONYM_KEY"):
        keyring(ring_file(tmp_path, *lines))
