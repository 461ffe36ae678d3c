"""Packages put together in a real S3 server: whole, or not there; each step may be repeated."""

from dataclasses import replace
from pathlib import Path

import pytest

from sharing.export import shipping
from sharing.export.bucket import Bucket
from sharing.export.bucket_depot import BucketDepot, write
from sharing.export.bucket_index import scan
from sharing.export.destination import DestinationFailed
from sharing.export.layout import PackedFile
from sharing.export.pushing import push
from sharing.export.releases import Committed, Released, Run
from sharing.export.seal import Sealed, SealRefused
from sharing.export.verify import verify
from tests.s3.conftest import get_folder, paths, put_folder
from tests.s3.test_reading import BY_FOLDER, candidate
from tests.sharing.export.packages import CATEGORY, HEADER, KEY, PSEUDONYMS

EXPORT = "export-1"


@pytest.fixture(params=["webdataset", "objects"])
def run(request: pytest.FixtureRequest, photos: Bucket, delivery: Bucket, folder: Path) -> Run:
    """Eight photos staged as two shards; a superseded attempt at the first lies beside them."""
    put_folder(folder, photos)
    wanted = [candidate(item) for item in scan(photos, BY_FOLDER)]
    depot, shards = BucketDepot(delivery), []
    for number, fence in ((0, 1), (0, 2), (1, 1)):
        result = write(
            photos,
            depot.attempt(EXPORT, number, fence),
            number,
            wanted[4 * number : 4 * number + 4],
            packing=request.param,
            category=CATEGORY,
            pseudonyms=PSEUDONYMS,
            age_recipient=None,
            attempt=str(fence),
            progress=None,
        )
        if (number, fence) != (0, 1):
            shards.append(Committed(fence, result))
    return Run(EXPORT, 1, replace(HEADER, packing=request.param), tuple(shards))


def released(sealed: Sealed, fence: int = 1, url: str | None = None) -> Released:
    """What the release recorded."""
    return Released("partner-1", fence, sealed.envelope.decode(), url)


def test_a_package_is_delivered_once(run: Run, delivery: Bucket, tmp_path: Path) -> None:
    """Sealed twice it is the same; delivered twice it lies there once, verifies, and staging is
    empty."""
    depot = BucketDepot(delivery)
    assert depot.sealed(run, KEY) == depot.sealed(run, KEY)
    sealed = depot.sealed(replace(run, fence=2), KEY)
    for _ in range(2):
        where = depot.deliver(EXPORT, released(sealed, 2))
        assert where == delivery / "partner-1" / EXPORT
        checked = verify(get_folder(where, tmp_path / "got"), KEY.public_key())
        assert checked.objects == 8
        assert all(path.startswith("partner-1/") for path in paths(delivery))


def test_delivery_goes_on_wherever_it_was_cut(
    run: Run, delivery: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut after any number of requests, delivery is no package; called again, it is whole."""
    depot = BucketDepot(delivery)
    sealed = depot.sealed(run, KEY)
    where = delivery / "partner-1" / EXPORT
    real = {name: getattr(shipping, name) for name in ("copy", "send_bytes", "erase")}

    def cut(*given: object) -> None:
        raise DestinationFailed("destination_failed", "cut")

    def half(source: Bucket, target: Bucket, named: dict[str, tuple[str, int]]) -> None:
        real["copy"](source, target, dict(list(named.items())[:2]))
        cut()

    for step, broken in (("copy", half), ("send_bytes", cut), ("erase", cut)):
        with monkeypatch.context() as patch:
            patch.setattr(shipping, step, broken)
            with pytest.raises(DestinationFailed, match="cut"):
                depot.deliver(EXPORT, released(sealed))
        assert ("seal.json" in paths(where)) == (step == "erase")
    depot.deliver(EXPORT, released(sealed))
    assert verify(get_folder(where, tmp_path / "got"), KEY.public_key()).objects == 8
    assert depot.erase(EXPORT) == 0


def test_what_is_staged_is_looked_at(run: Run, delivery: Bucket) -> None:
    """A staged file that is missing, or has another size, is not sealed."""
    depot, file = BucketDepot(delivery), run.shards[0].result.files[0].path
    attempt = depot.attempt(EXPORT, 0, 2)
    attempt.store(writing=True).put(attempt.key(file), b"?")
    with pytest.raises(SealRefused, match="has 1 bytes where"):
        depot.sealed(run, KEY)
    attempt.store(writing=True).delete(attempt.key(file))
    with pytest.raises(SealRefused, match="missing"):
        depot.sealed(run, KEY)


def test_nothing_is_written_over(run: Run, delivery: Bucket) -> None:
    """Where something else lies, or another package, delivery says so and changes nothing."""
    depot = BucketDepot(delivery)
    sealed = depot.sealed(run, KEY)
    where = delivery / "partner-1" / EXPORT
    for name in ("somebody's.txt", "seal.json"):
        where.store(writing=True).put(where.key(name), b"other")
        with pytest.raises(DestinationFailed, match="Something else lies"):
            depot.deliver(EXPORT, released(sealed))
        assert paths(where) == [name]
        where.store(writing=True).delete(where.key(name))


def test_a_package_is_pushed_with_its_seal_last(
    run: Run, delivery: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at any file, what was pushed has no seal; called again it is whole, verifies, and what
    was there is not sent twice."""
    depot = BucketDepot(delivery)
    sealed = depot.sealed(run, KEY)
    where = depot.deliver(EXPORT, released(sealed))
    theirs = Bucket("s3://partner", delivery.prefix) / EXPORT
    files, sent = len(paths(where)), list[str]()
    real = shipping.send_stream

    def third_fails(place: Bucket, file: PackedFile, chunks: object) -> None:
        if len(sent) % 3 == 2:
            sent.append("")
            raise DestinationFailed("destination_failed", "cut")
        real(place, file, chunks)  # type: ignore[arg-type]
        sent.append(file.path)

    monkeypatch.setattr(shipping, "send_stream", third_fails)
    for _ in range(20):
        try:
            push(where, str(theirs), sealed.envelope)
            break
        except DestinationFailed:
            assert "seal.json" not in paths(theirs)
    assert verify(get_folder(theirs, tmp_path / "got"), KEY.public_key()).objects == 8
    kept = [path for path in sent if path]
    assert len(kept) == len(set(kept)) == files - 1
    assert kept[-1] == "manifest.json"
    assert push(where, str(theirs), sealed.envelope) == str(theirs)


def test_only_what_was_sealed_is_pushed(run: Run, delivery: Bucket) -> None:
    """A delivered file that was changed since is not put into the partner's bucket."""
    depot = BucketDepot(delivery)
    sealed = depot.sealed(run, KEY)
    where = depot.deliver(EXPORT, released(sealed))
    file = run.shards[0].result.files[0]
    where.store(writing=True).put(where.key(file.path), bytes(file.bytes))
    theirs = Bucket("s3://partner", delivery.prefix) / EXPORT
    with pytest.raises(DestinationFailed, match="not what was sealed"):
        push(where, str(theirs), sealed.envelope)
    assert file.path not in paths(theirs)
    assert "seal.json" not in paths(theirs)
