"""URLs of object stores, and what a partner may ask to be pushed to: no server needed."""

from pathlib import Path

import pytest

from api.storage_environ import storage_environ
from sharing.errors import Refused
from sharing.export.bucket import Bucket, joined, place
from sharing.push import why_no_target


def test_urls_name_places() -> None:
    """A path, a file:// URL and an object store's URL each name a place."""
    assert place("/a b", "x") == Path("/a b")
    assert place("file:///a%20b", "x") == Path("/a b")
    assert place("s3://bucket", "x") == Bucket("s3://bucket")
    assert place("s3://bucket/a/b/", "x") == Bucket("s3://bucket", "a/b")
    assert place("gs://bucket/a", "x") == Bucket("gs://bucket", "a")
    assert place("az://account/container/a", "x") == Bucket("az://account/container", "a")
    assert str(place("s3://bucket/a", "x")) == "s3://bucket/a"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://bucket/a",
        "s3:///a",
        "az://account",
        "s3://key:secret@bucket/a",
        "s3://bucket/a/../b",
        "s3://bucket/a?versionId=1",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """Anything else is refused with a cure, and no password is repeated."""
    with pytest.raises(Refused, match=r"CLEARANCE_STORE_URL .* can't be used here") as refused:
        place(url, "CLEARANCE_STORE_URL")
    assert refused.value.code == "unsupported_location"
    assert "secret" not in refused.value.detail


def test_locations_lie_in_the_store() -> None:
    """A dataset's location is below the store, unless it is whole by itself."""
    store = Bucket("s3://bucket", "all")
    assert joined(store, "photos", "location") == Bucket("s3://bucket", "all/photos")
    assert joined(store, "s3://other/x", "location") == Bucket("s3://other", "x")
    assert joined(store, "/data", "location") == Path("/data")
    assert joined(Path("/store"), "photos", "location") == Path("/store/photos")
    assert joined(Path("/store"), "s3://other/x", "location") == Bucket("s3://other", "x")
    with pytest.raises(Refused, match="below"):
        joined(store, "../secret", "location")


def test_keys_come_from_the_environment_of_one_process() -> None:
    """The export worker has the stores' keys, the API their addresses, everybody else nothing."""
    environ = {"PATH": "p", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": "u", "GOOGLE_X": "g"}
    assert storage_environ(environ, frozenset({"store_url", "delivery_url"})) == environ
    api = {"PATH": "p", "AWS_ENDPOINT_URL": "u"}
    assert storage_environ(environ, frozenset({"delivery_url"})) == api
    assert storage_environ(environ, frozenset()) == {"PATH": "p"}


@pytest.mark.parametrize("url", ["s3://partner-bucket/in", "s3://a.b.c/x/y_1/z=2"])
def test_places_that_can_be_pushed_to(url: str) -> None:
    """A prefix in a bucket can be pushed to."""
    assert why_no_target(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://partner.example/in", "must be a prefix"),
        ("file:///etc", "must be a prefix"),
        ("s3://bucket", "needs a prefix"),
        ("s3://bucket/", "needs a prefix"),
        ("s3://bucket/a/../b", "needs a prefix"),
        ("s3://bucket/a//b", "needs a prefix"),
        ("s3://bucket/a b", "needs a prefix"),
        ("s3://bucket/a?x=y", "needs a prefix"),
        ("s3://bucket/%2e%2e/a", "needs a prefix"),
        ("s3://key:secret@bucket/a", "must not hold keys"),
        ("s3://bucket:9000/a", "must not hold keys"),
        ("s3://Bucket/a", "names no S3 bucket"),
        ("s3://..bucket/a", "names no S3 bucket"),
        (f"s3://bucket/{'a' * 600}", "longer"),
    ],
)
def test_places_that_cannot_be_pushed_to(url: str, why: str) -> None:
    """Anything but a plain prefix in a bucket is refused, with the cure."""
    assert why in str(why_no_target(url))
