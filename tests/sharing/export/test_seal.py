"""seal looks at everything once more, and signs what any DSSE verifier can check."""

import base64
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from sharing.export.pack import ShardResult
from sharing.export.seal import SealRefused, seal
from tests.sharing.export.packages import HEADER, KEY, files, pack, staged
from tests.sharing.export.photos import candidates, dataset


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small dataset."""
    dataset(tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    """Where the package is made."""
    return tmp_path / "staging"


@pytest.fixture
def shards(source: Path, staging: Path) -> tuple[ShardResult, ...]:
    """Three packed shards."""
    return staged(source, staging, candidates(source))


def public(key: Ed25519PrivateKey) -> SSlibKey:
    """The key as the independent verifier knows it."""
    raw = key.public_key().public_bytes_raw()
    return SSlibKey(sha256(raw).hexdigest(), "ed25519", "ed25519", {"public": raw.hex()})


def test_an_independent_verifier_accepts_it(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """securesystemslib verifies the envelope with our key, and refuses it with another."""
    sealed = seal(staging, shards, HEADER, KEY)
    envelope = Envelope.from_dict(json.loads(sealed.envelope))
    envelope.verify([public(KEY)], 1)
    other = public(Ed25519PrivateKey.generate())
    with pytest.raises(VerificationError):
        envelope.verify([SSlibKey(public(KEY).keyid, "ed25519", "ed25519", other.keyval)], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"


def test_the_statement_names_every_file(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """The subjects are all files of the package with their digests; the predicate says what for."""
    sealed = seal(staging, shards, HEADER, KEY)
    statement = json.loads(base64.b64decode(json.loads(sealed.envelope)["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    packed = {name: data for name, data in files(staging).items() if "parts/" not in name}
    assert {s["name"]: s["digest"]["sha256"] for s in statement["subject"]} == {
        name: sha256(data).hexdigest() for name, data in packed.items()
    }
    assert sealed.files == len(packed) == 6
    predicate = statement["predicate"]
    assert predicate["request"] == HEADER.request
    assert predicate["digest"] == HEADER.digest
    assert predicate["clearance_digest"] == HEADER.clearance_digest
    assert predicate["agreement"]["digest"] == HEADER.agreement_digest
    assert predicate["excluded"] == HEADER.excluded
    assert predicate["audit"] == {"position": 34, "hash": "4" * 64}
    assert predicate["counts"] == {"objects": 12, "bytes": sealed.bytes, "subjects": 6}
    assert predicate["created"] == "2026-11-23T10:00:00Z"


def test_the_manifest_is_all_parts(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """manifest.parquet has the rows of all shards in order, and its digest is in the result."""
    sealed = seal(staging, shards[::-1], HEADER, KEY)
    whole = pq.read_table(staging / "manifest.parquet")
    parts = [pq.read_table(staging / shard.manifest).to_pylist() for shard in shards]
    assert whole.to_pylist() == [row for part in parts for row in part]
    data = (staging / "manifest.parquet").read_bytes()
    assert sealed.manifest_sha256 == sha256(data).hexdigest()
    assert (sealed.objects, sealed.bytes) == (12, sum(shard.bytes for shard in shards))


def test_sealing_again_gives_the_same(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """After a crash before the release, sealing again gives the same envelope and files."""
    first = seal(staging, shards, HEADER, KEY)
    before = files(staging)
    assert seal(staging, shards, HEADER, KEY) == first
    assert files(staging) == before


def test_sealing_after_a_shard_changed(
    source: Path, staging: Path, shards: tuple[ShardResult, ...]
) -> None:
    """A shard made again after sealing, for a consent withdrawn meanwhile, can be sealed anew."""
    seal(staging, shards, HEADER, KEY)
    again = pack(source, staging, 1, candidates(source)[5:9], attempt="2")
    sealed = seal(staging, [shards[0], again, shards[2]], HEADER, KEY)
    assert sealed.objects == 11
    nothing = pack(source, staging, 1, [], attempt="3")
    assert seal(staging, [shards[0], nothing, shards[2]], HEADER, KEY).objects == 7


def test_what_dead_attempts_left_goes(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """Unfinished files of killed attempts are not in a sealed package."""
    left = staging / ".work" / "00001" / "dead" / "data"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a shard")
    seal(staging, shards, HEADER, KEY)
    assert not left.exists()
    assert not (staging / ".work").exists()


def test_an_empty_package_can_be_sealed(source: Path, staging: Path) -> None:
    """Where consent left nothing, the package says so and still holds."""
    for packing in ("webdataset", "objects"):
        folder = staging / packing
        empty = staged(source, folder, [], packing=packing) or (
            pack(source, folder, 0, [], packing=packing),
        )
        sealed = seal(folder, empty, replace(HEADER, packing=packing), KEY)
        assert (sealed.objects, sealed.bytes) == (0, 0)


def test_croissant_only_for_webdataset(source: Path, staging: Path) -> None:
    """croissant.json describes shards and manifest by name and digest; `objects` has none."""
    shards = staged(source, staging / "w", candidates(source))
    seal(staging / "w", shards, HEADER, KEY)
    document = json.loads((staging / "w/croissant.json").read_text())
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    digests = {f["@id"]: f.get("sha256") for f in document["distribution"]}
    for shard in shards:
        assert digests[shard.files[0].path] == shard.files[0].sha256
    assert (
        digests["manifest.parquet"]
        == sha256((staging / "w/manifest.parquet").read_bytes()).hexdigest()
    )
    columns = [f["source"]["extract"]["column"] for f in document["recordSet"][0]["field"]]
    assert columns == pq.read_schema(staging / "w/manifest.parquet").names
    others = staged(source, staging / "o", candidates(source), packing="objects")
    seal(staging / "o", others, replace(HEADER, packing="objects"), KEY)
    assert not (staging / "o/croissant.json").exists()


def refusal(staging: Path, shards: tuple[ShardResult, ...]) -> str:
    """The sentence that sealing is refused with."""
    with pytest.raises(SealRefused) as refused:
        seal(staging, shards, HEADER, KEY)
    return str(refused.value)


def test_a_missing_shard_is_refused(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """A recorded file that is not there stops the seal."""
    (staging / "shard-00001.tar").unlink()
    assert "shard-00001.tar is missing" in refusal(staging, shards)


def test_a_shard_of_another_size_is_refused(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """A file that is not as long as recorded stops the seal."""
    with (staging / "shard-00001.tar").open("ab") as shard:
        shard.write(b"x")
    assert "shard-00001.tar has" in refusal(staging, shards)


def test_a_link_in_place_of_a_shard_is_refused(
    staging: Path, shards: tuple[ShardResult, ...]
) -> None:
    """A link is not a file of the package, whatever it leads to."""
    moved = (staging / "shard-00001.tar").rename(staging.with_name("elsewhere.tar"))
    (staging / "shard-00001.tar").symlink_to(moved)
    assert "shard-00001.tar is missing" in refusal(staging, shards)


def test_another_part_is_refused(
    source: Path, staging: Path, shards: tuple[ShardResult, ...]
) -> None:
    """A manifest part that is not the recorded one stops the seal."""
    other = pack(source, staging.with_name("other"), 1, candidates(source)[:2])
    part = staging.with_name("other") / other.manifest
    (staging / other.manifest).write_bytes(part.read_bytes())
    assert "parts/manifest-00001.parquet" in refusal(staging, shards)


@pytest.mark.parametrize("extra", ["extra.jpg", "objects/1.jpg", "parts/manifest-00009.parquet"])
def test_an_extra_file_is_refused(
    staging: Path, shards: tuple[ShardResult, ...], extra: str
) -> None:
    """What belongs to no recorded shard stops the seal."""
    (staging / extra).parent.mkdir(exist_ok=True)
    (staging / extra).write_bytes(b"x")
    assert extra in refusal(staging, shards)


def test_an_object_twice_is_refused(source: Path, staging: Path) -> None:
    """The same object in two shards stops the seal."""
    chosen = candidates(source)
    shards = (pack(source, staging, 0, chosen[:3]), pack(source, staging, 1, chosen[2:4]))
    assert "twice" in refusal(staging, shards)


def test_a_shard_number_twice_is_refused(staging: Path, shards: tuple[ShardResult, ...]) -> None:
    """The same shard given twice stops the seal."""
    assert "same number" in refusal(staging, (*shards, shards[0]))
