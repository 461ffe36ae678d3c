"""verify finds whatever was done to a package, and survives whatever it is given."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.export import envelope
from sharing.export.verify import PackageBroken, verify
from tests.sharing.export.packages import KEY, Made, delivered, files
from tests.sharing.export.photos import dataset

PUBLIC = KEY.public_key()
IDENTITY = pyrage.x25519.Identity.generate()
KINDS = [(packing, age) for packing in ("webdataset", "objects") for age in (False, True)]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Made]:
    """One package of each kind; not to be changed."""
    home = tmp_path_factory.mktemp("packages")
    chosen = dataset(home / "source")
    return {
        (packing, age): delivered(
            home / "source",
            home / f"{packing}-{age}",
            chosen,
            packing,
            str(IDENTITY.to_public()) if age else None,
        )
        for packing, age in KINDS
    }


@pytest.fixture
def package(packages: dict[tuple[str, bool], Made], tmp_path: Path) -> Path:
    """A package of tars to spoil."""
    copy = tmp_path / "package"
    shutil.copytree(packages["webdataset", False].folder, copy)
    return copy


def broken(package: Path, **options: Any) -> PackageBroken:
    """What verify finds."""
    with pytest.raises(PackageBroken) as found:
        verify(package, PUBLIC, **options)
    return found.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_package_holds(
    packages: dict[tuple[str, bool], Made], kind: tuple[str, bool]
) -> None:
    """Every kind of package verifies, and the result says what it holds."""
    made = packages[kind]
    found = verify(made.folder, PUBLIC, str(IDENTITY) if kind[1] else None)
    assert (found.objects, found.subjects) == (12, 6)
    assert (found.bytes, found.files) == (made.sealed.bytes, made.sealed.files)
    assert found.header["request"] == "request-1"
    assert found.header["excluded"] == {"unreadable": 1, "withdrawn": 3}
    assert not any("Not checked" in sentence for sentence in found.checked)


def test_what_could_not_be_checked_is_said(packages: dict[tuple[str, bool], Made]) -> None:
    """Without an age identity the digests hold, and the result says what was not looked at."""
    found = verify(packages["webdataset", True].folder, PUBLIC)
    assert found.objects == 12
    assert any("Not checked: the 12 objects" in sentence for sentence in found.checked)


def test_progress(packages: dict[tuple[str, bool], Made]) -> None:
    """Progress ends at the bytes of all sealed files."""
    told: list[tuple[int, int]] = []
    made = packages["objects", False]
    verify(made.folder, PUBLIC, progress=lambda *counts: told.append(counts))
    total = sum(len(data) for name, data in files(made.folder).items() if name != "seal.json")
    assert told[-1] == (total, total)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_flipped_byte_is_found(
    packages: dict[tuple[str, bool], Made], data: st.DataObject
) -> None:
    """One changed byte in any file of any kind of package is found and its file is named."""
    made = packages[data.draw(st.sampled_from(KINDS))]
    name = data.draw(st.sampled_from(sorted(files(made.folder))))
    file = made.folder / name
    before = file.read_bytes()
    changed = bytearray(before)
    changed[data.draw(st.integers(0, len(before) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        file.write_bytes(bytes(changed))
        assert broken(made.folder).path == name
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_or_cut_file_is_found(
    packages: dict[tuple[str, bool], Made], kind: tuple[str, bool]
) -> None:
    """Any file taken away, cut short, made longer or renamed is found, and it is named."""
    folder = packages[kind].folder
    for name, data in files(folder).items():
        file = folder / name
        for change in (b"", data[:-1], data + b"\x00"):
            file.write_bytes(change)
            assert broken(folder).path == name
        file.unlink()
        assert broken(folder).path == name
        file.with_suffix(".renamed").write_bytes(data)
        assert broken(folder).path == name
        file.with_suffix(".renamed").rename(file)
    verify(folder, PUBLIC)


def _a_file(package: Path) -> None:
    (package / "extra").write_text("x")


def _an_empty_folder(package: Path) -> None:
    (package / "extra").mkdir()


def _a_link(package: Path) -> None:
    (package / "extra").symlink_to("/etc/hostname")


def _a_broken_link(package: Path) -> None:
    (package / "extra").symlink_to("nowhere")


def _a_link_to_a_folder(package: Path) -> None:
    (package / "extra").symlink_to("/etc")


def _a_pipe(package: Path) -> None:
    os.mkfifo(package / "extra")


def _a_leftover(package: Path) -> None:
    (package / "extra").mkdir()
    (package / "extra" / "manifest-00000.parquet").write_text("x")


@pytest.mark.parametrize(
    "add",
    [_a_file, _an_empty_folder, _a_link, _a_broken_link, _a_link_to_a_folder, _a_pipe, _a_leftover],
)
def test_anything_extra_is_found(package: Path, add: Callable[[Path], None]) -> None:
    """Whatever lies in a package without being sealed is found, without looking into it."""
    add(package)
    assert broken(package).path.startswith("extra")


@pytest.mark.parametrize("name", ["shard-00001.tar", "manifest.parquet", "seal.json"])
def test_a_link_is_not_the_file(package: Path, name: str, tmp_path: Path) -> None:
    """A link in place of a file is found even if it leads to the same bytes."""
    (package / name).rename(tmp_path / "elsewhere")
    (package / name).symlink_to(tmp_path / "elsewhere")
    assert broken(package).path == name


def test_two_shards_swapped(package: Path) -> None:
    """Two files that changed names are found."""
    (package / "shard-00000.tar").rename(package / "x")
    (package / "shard-00001.tar").rename(package / "shard-00000.tar")
    (package / "x").rename(package / "shard-00001.tar")
    assert broken(package).path == "shard-00000.tar"


def test_another_key(package: Path) -> None:
    """A package sealed by anyone else does not verify."""
    with pytest.raises(PackageBroken) as found:
        verify(package, Ed25519PrivateKey.generate().public_key())
    assert found.value.path == "seal.json"


def test_no_package(tmp_path: Path) -> None:
    """A folder that is absent, empty or a file is no package."""
    broken(tmp_path / "absent")
    assert broken(tmp_path).path == "seal.json"
    (tmp_path / "file").write_text("x")
    broken(tmp_path / "file")


def test_identities(packages: dict[tuple[str, bool], Made]) -> None:
    """A malformed identity is a usage error; one that does not fit is named at the first shard."""
    folder = packages["webdataset", True].folder
    with pytest.raises(ValueError, match="AGE-SECRET-KEY-1"):
        verify(folder, PUBLIC, "nonsense")
    other = str(pyrage.x25519.Identity.generate())
    assert broken(folder, age_identity=other).path == "shard-00000.tar.age"


# What follows is signed by the right key, so that only the later checks can find it.


def resealed(package: Path, predicate: dict[str, Any] | None = None) -> None:
    """Signs the package as it lies there, with manifest.json's list of files made to fit."""
    summary = json.loads((package / "manifest.json").read_text())
    summary["files"] = [
        {"path": name, "bytes": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in files(package).items()
        if name not in ("manifest.json", "seal.json")
    ]
    summary |= predicate or {}
    (package / "manifest.json").write_text(json.dumps(summary))
    _sign(package, {name: value for name, value in summary.items() if name != "files"})


def _sign(package: Path, predicate: dict[str, Any]) -> None:
    digests = [
        (name, sha256(data).hexdigest())
        for name, data in files(package).items()
        if name != "seal.json"
    ]
    (package / "seal.json").write_bytes(envelope.signed(digests, predicate, KEY))


def test_resealing_alone_breaks_nothing(package: Path) -> None:
    """The helper above makes packages that verify: what breaks below is what the test broke."""
    resealed(package)
    assert verify(package, PUBLIC).objects == 12


def rows(package: Path) -> list[dict[str, Any]]:
    """The manifest's rows."""
    return list(pq.read_table(package / "manifest.parquet").to_pylist())


def rewrite(package: Path, changed: list[dict[str, Any]]) -> None:
    """Another manifest, sealed with counts that fit."""
    schema = pq.read_schema(package / "manifest.parquet")
    pq.write_table(pa.Table.from_pylist(changed, schema), package / "manifest.parquet")
    counts = {
        "objects": len(changed),
        "bytes": sum(row["bytes"] for row in changed),
        "subjects": len({row["subject_pseudonym"] for row in changed}),
    }
    resealed(package, {"counts": counts})


def _without_a_row(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from listed[:-1]


def _with_a_row_twice(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [*listed, listed[-1]]


def _with_another_digest(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"sha256": "0" * 64}, *listed[1:]]


def _with_another_size(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"bytes": listed[0]["bytes"] + 1}, *listed[1:]]


def _with_an_enormous_size(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"bytes": 2**52}, *listed[1:]]


def _with_a_negative_size(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"bytes": -1}, *listed[1:]]


def _with_another_order(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from listed[::-1]


def _with_a_path_outside(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"path": "../../etc/passwd"}, *listed[1:]]


def _with_an_endless_path(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"path": "0" * 5000}, *listed[1:]]


def _with_a_shard_outside(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"shard": "../../../etc/passwd"}, *listed[1:]]


def _with_another_category(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [listed[0] | {"category": "pd:Location"}, *listed[1:]]


def _without_a_shard(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from [row for row in listed if row["shard"] != "shard-00002.tar"]


@pytest.mark.parametrize(
    "change",
    [
        _without_a_row,
        _with_a_row_twice,
        _with_another_digest,
        _with_another_size,
        _with_an_enormous_size,
        _with_a_negative_size,
        _with_another_order,
        _with_a_path_outside,
        _with_an_endless_path,
        _with_a_shard_outside,
        _with_another_category,
        _without_a_shard,
    ],
)
def test_a_sealed_lie_in_the_manifest_is_found(
    package: Path, change: Callable[[list[dict[str, Any]]], Iterator[dict[str, Any]]]
) -> None:
    """Rows that do not describe the shards byte for byte are found though the seal fits."""
    rewrite(package, list(change(rows(package))))
    broken(package)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + bytes(512),
        lambda data: data[:-512],
        lambda data: data[:100] + b"0000777" + data[107:],
        lambda data: data[:124] + b"77777777777" + data[135:],
        lambda data: b"../" + data[3:],
        lambda data: data[:156] + b"2" + data[157:],
        lambda data: data[:-1024] + b"hidden".ljust(1024, b"\x00"),
        lambda data: b"",
    ],
)
def test_a_sealed_lie_in_a_shard_is_found(package: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A shard that is not exactly its objects, with plain headers and nothing between, is found."""
    shard = package / "shard-00001.tar"
    shard.write_bytes(spoil(shard.read_bytes()))
    resealed(package)
    assert broken(package).path == "shard-00001.tar"


def test_a_sealed_extra_shard_is_found(package: Path) -> None:
    """A data file that no row names is found though it is sealed."""
    shutil.copy(package / "shard-00001.tar", package / "shard-00007.tar")
    resealed(package)
    assert broken(package).path == "shard-00007.tar"


def test_sealed_counts_that_do_not_add_up(package: Path) -> None:
    """Counts in manifest.json that are not the manifest's are found."""
    resealed(package, {"counts": {"objects": 13, "bytes": 1, "subjects": 6}})
    assert broken(package).path == "manifest.parquet"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"files": 3}',
        b'{"files": [{"path": 1}]}',
        b"\xff\xfe\x00",
        b'{"packing": {}, "files": []}',
    ],
)
@pytest.mark.parametrize("name", ["manifest.json", "manifest.parquet", "seal.json"])
def test_malformed_files_never_crash_it(package: Path, name: str, content: bytes) -> None:
    """Whatever stands in place of a file, the answer is PackageBroken with that path."""
    (package / name).write_bytes(content)
    if name == "manifest.json":
        predicate = {"packing": "webdataset", "encryption": None}
        _sign(package, predicate)
    elif name == "manifest.parquet":
        resealed(package)
    assert broken(package).path == name


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "a/../b", "", "seal.json"])
def test_a_seal_that_names_a_file_outside(package: Path, path: str) -> None:
    """A sealed name that leads out of the package is refused before anything is opened."""
    (package / "seal.json").write_bytes(envelope.signed([(path, "0" * 64)], {}, KEY))
    assert broken(package).path == "seal.json"


@given(st.binary(max_size=400))
def test_no_envelope_crashes_it(content: bytes) -> None:
    """Random bytes are refused as an envelope, with a sentence."""
    with pytest.raises(envelope.BadEnvelope):
        envelope.opened(content, PUBLIC)
