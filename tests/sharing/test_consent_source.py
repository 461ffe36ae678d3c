"""When an answer of a consent source is believed, and when it is not."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.consent_source import (
    Asked,
    ConsentSource,
    Page,
    Unbelieved,
    believed,
    source_of,
)
from sharing.keys import KeyProblem, public_text
from sharing.settings import Settings, SettingsError

KEY = Ed25519PrivateKey.generate()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCE = ConsentSource("https://cmp.example/feed", KEY.public_key(), timedelta(seconds=30))
ASKED = Asked(7, 100, NOW)
SECOND = timedelta(seconds=1)
TRUE = {"events": [{"subject": "s"}], "next": 8, "complete": True, "at": NOW.isoformat()}


def signed(
    body: bytes, asked: Asked = ASKED, at: datetime = NOW, key: Ed25519PrivateKey = KEY
) -> str:
    """A signature header."""
    t = str(int(at.timestamp()))
    return f"t={t},v1={base64.b64encode(key.sign(asked.signed_text(t, body))).decode()}"


def read(answer: Any, **changes: Any) -> Page:
    """What comes of an answer that was signed as it is, but for `changes`."""
    body = json.dumps(answer).encode()
    return believed(SOURCE, ASKED, signed(body, **changes), body, NOW)


def test_a_true_answer_is_believed() -> None:
    """Signed by the feed's key, for this question, just now: events and cursor are taken."""
    page = read(TRUE)
    assert (page.events, page.next, page.complete, page.at) == (({"subject": "s"},), 8, True, NOW)


def test_an_answer_of_another_key_is_not_believed() -> None:
    """A signature by any other key counts for nothing."""
    with pytest.raises(Unbelieved, match="signature"):
        read(TRUE, key=Ed25519PrivateKey.generate())


@pytest.mark.parametrize("asked", [Asked(7, 100, NOW), replace(ASKED, after=6)])
def test_an_answer_to_another_question_is_not_believed(asked: Asked) -> None:
    """An answer that was signed for another challenge, or another cursor, cannot be replayed."""
    with pytest.raises(Unbelieved, match="another question"):
        read(TRUE, asked=asked)


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_changed_body_is_not_believed(place: int) -> None:
    """One changed byte of the body is enough."""
    body = json.dumps(TRUE).encode()
    changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    with pytest.raises(Unbelieved, match="signature"):
        believed(SOURCE, ASKED, signed(body), changed, NOW)


@pytest.mark.parametrize("header", [None, "", "t=1", "v1=AAAA", "t=-1,v1=" + "A" * 86 + "=="])
def test_an_unsigned_answer_is_not_believed(header: str | None) -> None:
    """Without a signature header in its one form nothing is read."""
    with pytest.raises(Unbelieved, match="Clearance-Signature"):
        believed(SOURCE, ASKED, header, json.dumps(TRUE).encode(), NOW)


@pytest.mark.parametrize("seconds", [-31, 31])
def test_an_old_answer_is_not_believed(seconds: int) -> None:
    """A signature further from now than the allowed age, either way, counts for nothing."""
    assert read(TRUE, at=NOW + seconds / 31 * 30 * SECOND)
    with pytest.raises(Unbelieved, match="too long ago"):
        read(TRUE, at=NOW + seconds * SECOND)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"next": 6, "events": []}, "backwards"),
        ({"next": 7}, "although there is more"),
        ({"next": 7, "events": [], "complete": False}, "although there is more"),
        ({"next": 2**63}, "`next`"),
        ({"next": True}, "`next`"),
        ({"next": 8.0}, "`next`"),
        ({"next": "8"}, "`next`"),
        ({"complete": 1}, "`complete`"),
        ({"events": {}}, "`events`"),
        ({"events": ["s"]}, "`events`"),
        ({"events": [{}] * 101}, "101 events"),
        ({"at": (NOW - 31 * SECOND).isoformat()}, "behind"),
        ({"at": "2026-11-23T12:00:00"}, "`at`"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "`at`"),
        ({"at": None}, "`at`"),
        ({"more": 1}, "no more"),
    ],
)
def test_a_wrong_answer_is_not_believed(change: dict[str, Any], why: str) -> None:
    """However well it is signed: a cursor that goes backwards or stands still, a source that is
    behind, or a form that is not the documented one."""
    with pytest.raises(Unbelieved, match=why):
        read({**TRUE, **change})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"next": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_not_believed(body: bytes) -> None:
    """A body that is not a JSON object of that form."""
    with pytest.raises(Unbelieved, match="body"):
        believed(SOURCE, ASKED, signed(body), body, NOW)


def test_nothing_new_is_an_answer() -> None:
    """Where nothing lies behind the cursor, it stays."""
    assert read({**TRUE, "events": [], "next": 7}).complete


def test_each_question_has_a_challenge_of_its_own() -> None:
    """No two questions can be answered by one answer."""
    assert len({Asked(7, 100, NOW).challenge for _ in range(100)}) == 100


def test_another_address_is_another_source() -> None:
    """The ledger tells feeds apart by host, port and path; a cursor of one is never used on
    another."""
    names = {
        replace(SOURCE, url=url).name
        for url in (
            "https://cmp.example/feed",
            "https://cmp.example/feed/",
            "https://cmp.example:8443/feed",
            "https://cmp.example/other/feed",
        )
    }
    assert names == {
        "feed:cmp.example/feed",
        "feed:cmp.example:8443/feed",
        "feed:cmp.example/other/feed",
    }


def test_without_settings_the_ledger_stands_alone() -> None:
    """No address and no key: no source."""
    assert source_of(Settings()) is None


PUBLIC = public_text(KEY)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://cmp.example/feed", ""),
        ("", PUBLIC),
        ("https://cmp.example/feed", "no key"),
        ("http://cmp.example/feed", PUBLIC),
        ("https://user:word@cmp.example/feed", PUBLIC),
        ("https://cmp.example/feed?tenant=1", PUBLIC),
        ("https:///feed", PUBLIC),
        ("https://cmp.example:99999/feed", PUBLIC),
        ("ftp://cmp.example/feed", PUBLIC),
    ],
    ids=range(9),  # a key of each run in a name would be another test in each process
)
def test_half_a_setting_is_an_error(url: str, key: str) -> None:
    """An address without a key, a key without an address, or an address that is not safe: the
    worker does not start, rather than stand alone by mistake."""
    with pytest.raises((SettingsError, KeyProblem), match="CLEARANCE_CONSENT_SOURCE_"):
        source_of(Settings(consent_source_url=url, consent_source_key=key))


def test_a_source_on_this_machine_needs_no_tls() -> None:
    """http:// is for a feed, or a proxy to it, on this very machine."""
    source = source_of(
        Settings(consent_source_url="http://127.0.0.1:9/feed", consent_source_key=PUBLIC)
    )
    assert source is not None
    assert source.name == "feed:127.0.0.1:9/feed"
