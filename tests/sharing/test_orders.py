"""Orders: whoever reaches the engine can send one, but only the API can sign one."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import Refused
from sharing.keys import public_text
from sharing.orders import Order, Verb, demand_signed, signed

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KNOWN = [public_text(KEY)]
ORDER = signed(
    Order("ord_1", Verb.DECIDE, "req_1", "per_1", "2026-06-01T12:00:00+00:00", "d" * 64,
          {"stage": "purpose_review", "outcome": "approved", "conditions": ["one"]}),
    KEY,
)  # fmt: skip
CHANGES: dict[str, Any] = {
    "id": "ord_2",
    "verb": Verb.TRIGGER,
    "request_id": "req_2",
    "actor": "per_2",
    "at": "2026-06-01T12:00:01+00:00",
    "digest": "e" * 64,
    "body": {**ORDER.body, "outcome": "refused"},
}


def taken(order: Order, verb: Verb = Verb.DECIDE, keys: list[str] | None = None) -> bool:
    """True if this passes for the API's own order."""
    try:
        demand_signed(order, verb, KNOWN if keys is None else keys)
    except Refused as refused:
        if refused.code != "forged_order":
            raise
        return False
    return True


def test_the_apis_own_order_is_taken() -> None:
    """An order as the API signed it is taken, also beside older keys."""
    assert taken(ORDER)
    assert taken(ORDER, keys=[public_text(OTHER), *KNOWN])


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_field_breaks_the_signature(name: str) -> None:
    """An order with any one field changed is refused, whatever verb is asked for."""
    changed = replace(ORDER, **{name: CHANGES[name]})
    assert not any(taken(changed, verb) for verb in Verb)


@given(body=st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.integers(-9, 9)))
def test_no_other_body_passes(body: dict[str, Any]) -> None:
    """Whatever else is put in its body, the order is refused."""
    assert not taken(replace(ORDER, body=body))


@pytest.mark.parametrize("verb", sorted(set(Verb) - {Verb.DECIDE}))
def test_an_order_is_for_its_own_verb(verb: Verb) -> None:
    """A signed decision cannot be handed in as a trigger, a withdrawal or anything else."""
    assert not taken(ORDER, verb)


@pytest.mark.parametrize(
    "signature",
    ["", "AAAA", "not base64!", "\u00e9", base64.b64encode(bytes(64)).decode(),
     base64.b64encode(base64.b64decode(ORDER.signature) + b"x").decode(), ORDER.signature * 2],
    ids=range(7),
)  # fmt: skip
def test_no_signature_and_no_other_one(signature: str) -> None:
    """Without a signature, with garbage, or with one too long, an order is refused by name."""
    assert not taken(replace(ORDER, signature=signature))


def test_another_key_is_not_known() -> None:
    """An order signed with a key that is not on record is refused; with none on record, any is."""
    assert not taken(signed(ORDER, OTHER))
    assert not taken(ORDER, keys=[])


@pytest.mark.parametrize(
    "body", [{"n": float("nan")}, {"n": 2**60}, {"n": object()}, {"n": "\ud800"}]
)
def test_a_body_that_has_no_canonical_form_is_forged(body: dict[str, Any]) -> None:
    """The API signs no such body: it is refused for good, not tried again for ever."""
    assert not taken(replace(ORDER, body=body))


def test_signing_again_changes_nothing() -> None:
    """The same order signed twice is the same order: a repeated message is recognised."""
    assert signed(ORDER, KEY) == ORDER
