"""Pseudonyms mean nothing outside and cannot be joined between partners."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.export.pseudonyms import Pseudonyms

KEY = b"0123456789abcdef0123456789abcdef"
NAMES = st.text(st.characters(exclude_categories=()), max_size=60)


@given(NAMES, NAMES)
def test_names_stay_apart(one: str, other: str) -> None:
    """Two names share a pseudonym only if they are the same name."""
    pseudonyms = Pseudonyms(KEY, "partner-1")
    assert (pseudonyms.subject(one) == pseudonyms.subject(other)) == (one == other)
    assert (pseudonyms.object(one) == pseudonyms.object(other)) == (one == other)


@given(NAMES)
def test_partners_and_kinds_stay_apart(name: str) -> None:
    """One name is called differently for each partner, key and kind of thing."""
    called = {
        Pseudonyms(key, partner).subject(name)
        for key in (KEY, KEY[::-1])
        for partner in ("partner-1", "partner-2")
    }
    assert len(called) == 4
    assert not Pseudonyms(KEY, "p").subject(name).startswith(Pseudonyms(KEY, "p").object(name))


def test_form() -> None:
    """A subject has 128 bits and an object 96, in lower-case hexadecimal."""
    pseudonyms = Pseudonyms(KEY, "partner-1")
    assert re.fullmatch("[0-9a-f]{32}", pseudonyms.subject("anna"))
    assert re.fullmatch("[0-9a-f]{24}", pseudonyms.object("anna/1.jpg"))


def test_a_short_key_is_refused() -> None:
    """A key that could be guessed is not taken."""
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"short", "partner-1")
