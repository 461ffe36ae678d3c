"""A store that fails now and then, or for a while: the package is complete and right, or there is
none; and never does a failing store look like missing photos."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from sharing.errors import NotYet
from sharing.export import bucket
from sharing.export.bucket import Bucket, DestinationAway, SourceAway
from sharing.export.bucket_depot import BucketDepot, write
from sharing.export.bucket_index import scan
from sharing.export.destination import DestinationFailed
from sharing.export.pack import ShardResult
from sharing.export.pushing import push
from sharing.export.releases import Committed, Released, Run
from sharing.export.seal import SealRefused
from sharing.export.source import Candidate
from sharing.export.verify import verify
from tests.s3.conftest import get_folder, paths, put_folder
from tests.s3.proxy import Fault, Proxy, proxied
from tests.s3.server import S3Server
from tests.s3.test_reading import BY_FOLDER, candidate
from tests.sharing.export.packages import CATEGORY, HEADER, KEY, PSEUDONYMS

T = TypeVar("T")
EXPORT = "export-1"
TRIES = 40


@pytest.fixture
def faulty(here: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The store behind a proxy, with short patience on our side. Tests look at the truth by
    `truth`, past the proxy."""
    brief = timedelta(milliseconds=20)
    monkeypatch.setattr(
        bucket, "_SILENCE", {False: timedelta(seconds=1), True: timedelta(seconds=1)}
    )
    monkeypatch.setitem(bucket._RETRIES, "retry_timeout", timedelta(seconds=10))
    monkeypatch.setitem(bucket._RETRIES, "max_retries", 4)
    monkeypatch.setitem(bucket._RETRIES, "backoff", {"init_backoff": brief, "max_backoff": brief})
    with proxied(here.url) as proxy:
        proxy.stall_seconds = 3.0
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def again(step: Callable[[], T]) -> T:
    """Repeats a step as the engine does, until it is done."""
    for _ in range(TRIES):
        try:
            return step()
        except (DestinationAway, SourceAway, NotYet):
            continue
        except (DestinationFailed, SealRefused) as failure:
            assert failure.__cause__ is not None, failure  # noqa: PT017
    raise AssertionError("it never came to an end")


def shard(photos: Bucket, staging: Bucket, number: int, wanted: list[Candidate]) -> ShardResult:
    """One shard, packed and sent."""
    return write(
        photos,
        staging,
        number,
        wanted,
        packing="webdataset",
        category=CATEGORY,
        pseudonyms=PSEUDONYMS,
        age_recipient=None,
        attempt="1",
        progress=None,
    )


@pytest.mark.parametrize("fault", list(Fault))
def test_each_fault_now_and_then(
    fault: Fault,
    faulty: Proxy,
    photos: Bucket,
    delivery: Bucket,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the fault, in one request of five: every photo is in the package, none is unread,
    it verifies, and so does what was pushed."""
    put_folder(folder, photos)
    chance = random.Random(str(fault))
    faulty.choose = lambda method, path: fault if chance.random() < 0.2 else None
    wanted = [candidate(item) for item in again(lambda: list(scan(photos, BY_FOLDER)))]
    assert len(wanted) == 8
    depot, shards = BucketDepot(delivery), []
    for number in (0, 1):
        part = wanted[4 * number : 4 * number + 4]
        place = depot.attempt(EXPORT, number, 1)
        result = again(lambda: shard(photos, place, number, part))  # noqa: B023
        assert result.unread == ()
        shards.append(Committed(1, result))
    sealed = again(lambda: depot.sealed(Run(EXPORT, 1, HEADER, tuple(shards)), KEY))
    released = Released("partner-1", 1, sealed.envelope.decode())
    where = again(lambda: depot.deliver(EXPORT, released))
    theirs = Bucket("s3://partner", delivery.prefix) / EXPORT
    again(lambda: push(where, str(theirs), sealed.envelope))
    assert faulty.met.get(fault, 0) > 3
    faulty.choose = lambda method, path: None
    for place in (where, theirs):
        got = get_folder(place, tmp_path / place.root[5:])
        assert verify(got, KEY.public_key()).objects == 8
    assert all(path.startswith("partner-1/") for path in paths(delivery))


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.RESET, Fault.STALL])
def test_a_store_that_is_away_is_no_missing_photo(
    fault: Fault, faulty: Proxy, photos: Bucket, delivery: Bucket, folder: Path
) -> None:
    """While the store fails as a whole, in the middle of reading too, the shard fails and may be
    tried again: no photo counts as unread and nothing is staged."""
    put_folder(folder, photos)
    wanted = [candidate(item) for item in scan(photos, BY_FOLDER)]
    place = BucketDepot(delivery).attempt(EXPORT, 0, 1)
    for spared in (0, 1, 3):
        left = [spared]

        def choose(method: str, path: str, left: list[int] = left) -> Fault | None:
            left[0] -= 1
            return fault if left[0] < 0 else None

        faulty.choose = choose
        with pytest.raises((SourceAway, DestinationAway)):
            shard(photos, place, 0, wanted)
    faulty.choose = lambda method, path: None
    assert paths(delivery) == []
    assert shard(photos, place, 0, wanted).unread == ()
