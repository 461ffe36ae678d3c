"""Revisions: any change gives another digest, the order of keys does not; bad words are named."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import Refused
from sharing.request import Revision, check, moment
from tests.walk import BODY

FULL: Mapping[str, Any] = {
    **BODY,
    "scope": {"fields": ["photo"], "where": {"taken_after": "2012-01-01"}, "limit": 1000},
    "onward_recipients": ["ptr_other"],
    "sponsor": "per_sponsor",
}
REVISION = Revision("req_1", 1, "ptr_1", "age1xyz", 3, FULL)
APART: Mapping[str, object] = {
    "request_id": "req_2",
    "number": 2,
    "partner_id": "ptr_2",
    "age_recipient": "age1abc",
    "index": 4,
}
PlacesInBody = tuple[tuple[str | int, ...], Any]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[PlacesInBody]:
    """Every place in a body that holds no further places, with what it holds."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """The same body with another value at one place."""
    if not path:
        return new
    first, *rest = path
    if isinstance(value, Mapping):
        return {n: put(v, tuple(rest), new) if n == first else v for n, v in value.items()}
    return [put(v, tuple(rest), new) if n == first else v for n, v in enumerate(value)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(place=st.sampled_from([path for path, _ in leaves(FULL)]), new=json_values)
def test_every_field_of_the_body_flips_the_digest(place: tuple[str | int, ...], new: Any) -> None:
    """Whatever stands in any place of the body, another value there is another digest (I6)."""
    held = dict(leaves(FULL))[place]
    same = type(held) is type(new) and held == new
    changed = replace(REVISION, body=put(FULL, place, new))
    assert (changed.digest == REVISION.digest) == same


@pytest.mark.parametrize("name", APART)
def test_everything_beside_the_body_flips_the_digest(name: str) -> None:
    """Another partner, recipient key, index, request or revision number is another digest."""
    assert replace(REVISION, **{name: APART[name]}).digest != REVISION.digest  # type: ignore[arg-type]


def test_no_age_key_is_not_an_empty_one() -> None:
    """A partner without a key and one with an empty key are told apart."""
    digests = {replace(REVISION, age_recipient=key).digest for key in (None, "", "age1xyz")}
    assert len(digests) == 3


def test_another_policy_flips_the_digest() -> None:
    """What was approved under one policy version is not approved under the next."""
    assert replace(REVISION, policy=2).digest != REVISION.digest


@pytest.mark.parametrize("name", FULL)
def test_a_missing_field_flips_the_digest(name: str) -> None:
    """A body that lacks a field is not the body that has it."""
    body = {n: v for n, v in FULL.items() if n != name}
    assert replace(REVISION, body=body).digest != REVISION.digest


@given(order=st.permutations(sorted(FULL)))
def test_the_order_of_keys_does_not_matter(order: list[str]) -> None:
    """The same body with its keys in any order is the same digest."""
    scope = dict(reversed(FULL["scope"].items()))
    body = {**{name: FULL[name] for name in order}, "scope": scope}
    assert replace(REVISION, body=body).digest == REVISION.digest


def test_digest_is_the_same_tomorrow() -> None:
    """The digest of a known revision is a known value: stored approvals keep standing for it."""
    assert Revision("req_1", 1, "ptr_1", None, 1, dict(BODY)).digest == (
        "ac344195a9e99943af545168b004ee63c12d0df840d97deb34d437529dda99a3"
    )


def refused_paths(**changes: Any) -> set[str]:
    """The fields that are refused in a body."""
    with pytest.raises(Refused) as refused:
        check({**FULL, **changes})
    assert refused.value.code == "invalid_body"
    return {error.path for error in refused.value.errors}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"purpose": "ai:WorldDomination"}, "purpose"),
        ({"legal_basis": "gdpr:A6-1-z"}, "legal_basis"),
        ({"special_category_basis": "gdpr:A9-2-z"}, "special_category_basis"),
        ({"delivery": {"format": "floppy"}}, "delivery.format"),
        ({"scope": {**FULL["scope"], "fields": ["password"]}}, "scope.fields.0"),
        ({"scope": {**FULL["scope"], "fields": ["photo", "photo"]}}, "scope.fields"),
        ({"scope": {**FULL["scope"], "where": {"taken_on": "2012-01-01"}}}, "scope.where.taken_on"),
        ({"scope": {**FULL["scope"], "where": {"taken_after": "soon"}}}, "scope.where.taken_after"),
        ({"scope": {**FULL["scope"], "where": {"taken_after": 2012}}}, "scope.where.taken_after"),
    ],
)
def test_unknown_words_are_refused_by_field(changes: dict[str, Any], path: str) -> None:
    """A word that is not in the vocabulary is refused at the field where it stands."""
    assert refused_paths(**changes) == {path}


def test_all_bad_fields_are_told_at_once() -> None:
    """Whoever sends several bad fields learns of all of them in one answer."""
    assert refused_paths(purpose="x", legal_basis="y", delivery={"format": "z"}) == {
        "purpose",
        "legal_basis",
        "delivery.format",
    }


def test_a_good_body_is_taken() -> None:
    """A body in known words passes, with a special category basis or without."""
    check(FULL)
    check({**FULL, "special_category_basis": None})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-01-01", datetime(2012, 1, 1, tzinfo=UTC)),
        ("2012-01-01T01:00:00+01:00", datetime(2012, 1, 1, tzinfo=UTC)),
        ("2012-01-01T00:00:00Z", datetime(2012, 1, 1, tzinfo=UTC)),
        ("2012-01-01T00:00:00", datetime(2012, 1, 1, tzinfo=UTC)),
        ("2012-02-30", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (20120101, None),
    ],
)
def test_moments_are_read_in_utc_or_not_at_all(text: object, expected: datetime | None) -> None:
    """A date or an RFC 3339 time is one moment in UTC; anything else is none, and never raises."""
    assert moment(text) == expected


@given(text=st.text(alphabet="0123456789-+:TZW. ", max_size=30))
def test_no_text_breaks_the_reading_of_moments(text: str) -> None:
    """Whatever is sent as a moment is an aware UTC datetime or nothing."""
    found = moment(text)
    assert found is None or found.tzinfo is UTC
