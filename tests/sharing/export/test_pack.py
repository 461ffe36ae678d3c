"""write_shard: what it writes, and what it leaves when it is stopped."""

import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pyrage
import pytest

from sharing.export.destination import DestinationFailed
from sharing.export.minimise import minimise
from sharing.export.pack import SourceFailed
from sharing.export.pseudonyms import Pseudonyms
from sharing.export.source import Candidate
from tests.sharing.export.packages import CATEGORY, PSEUDONYMS, files, pack
from tests.sharing.export.photos import candidates, dataset, jpeg, with_secrets

COLUMNS = [
    "path", "shard", "bytes", "sha256", "subject_pseudonym", "category", "consent_position",
    "media_type",
]  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A dataset of six subjects with two photos each."""
    dataset(tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    """Where a package is made."""
    return tmp_path / "staging"


def plain(source: Path, candidate: Candidate) -> bytes:
    """What an object must be once delivered."""
    return b"".join(minimise((source / candidate.path).read_bytes(), "image/jpeg"))


def test_a_tar_that_others_read(source: Path, staging: Path) -> None:
    """Python's tarfile reads the shard; members are plain, timeless, ownerless and stripped."""
    chosen = candidates(source)
    result = pack(source, staging, 3, chosen)
    assert [file.path for file in result.files] == ["shard-00003.tar"]
    expected = {f"{PSEUDONYMS.object(c.path)}.jpg": plain(source, c) for c in chosen}
    with tarfile.open(staging / "shard-00003.tar") as shard:
        members = shard.getmembers()
        assert [m.name for m in members] == sorted(expected)
        for member in members:
            assert member.isreg()
            assert (member.mode, member.mtime, member.uid, member.gid) == (0o644, 0, 0, 0)
            assert (member.uname, member.gname) == ("", "")
            content = shard.extractfile(member)
            assert content is not None
            assert content.read() == expected[member.name]


def test_objects_are_files(source: Path, staging: Path) -> None:
    """Packed as objects, each photo is a file under its pseudonym."""
    chosen = candidates(source)
    result = pack(source, staging, 3, chosen, packing="objects")
    expected = {f"objects/00003/{PSEUDONYMS.object(c.path)}.jpg": plain(source, c) for c in chosen}
    written = files(staging)
    assert {file.path: written[file.path] for file in result.files} == expected
    assert set(written) == {*expected, result.manifest}


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_the_result_says_what_is_there(source: Path, staging: Path, packing: str) -> None:
    """Sizes, digests and counts in the result are those of the files."""
    chosen = candidates(source)
    result = pack(source, staging, 0, chosen, packing=packing)
    for file in result.files:
        data = (staging / file.path).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), sha256(data).hexdigest())
    part = (staging / result.manifest).read_bytes()
    assert sha256(part).hexdigest() == result.manifest_sha256
    assert result.objects == len(chosen) == 12
    assert result.bytes == sum(len(plain(source, c)) for c in chosen)
    assert result.unread == ()


def test_the_part_has_one_row_an_object(source: Path, staging: Path) -> None:
    """The part lists every object with its digest, pseudonyms and consent, in the fixed columns."""
    chosen = candidates(source)
    result = pack(source, staging, 0, chosen)
    table = pq.read_table(staging / result.manifest)
    assert table.column_names == COLUMNS
    by_path = {row["path"]: row for row in table.to_pylist()}
    for candidate in chosen:
        data = plain(source, candidate)
        assert by_path[f"{PSEUDONYMS.object(candidate.path)}.jpg"] == {
            "path": f"{PSEUDONYMS.object(candidate.path)}.jpg",
            "shard": "shard-00000.tar",
            "bytes": len(data),
            "sha256": sha256(data).hexdigest(),
            "subject_pseudonym": PSEUDONYMS.subject(candidate.subject),
            "category": CATEGORY,
            "consent_position": candidate.consent_position,
            "media_type": "image/jpeg",
        }


def test_no_name_of_the_source_leaves(source: Path, staging: Path) -> None:
    """Neither subjects nor file names nor metadata are anywhere in what is staged."""
    pack(source, staging, 0, candidates(source))
    for data in files(staging).values():
        assert b"subject-" not in data
        assert b"SECRET" not in data


def test_partners_cannot_join(source: Path, tmp_path: Path) -> None:
    """Two partners' manifests share no pseudonym, though the objects are the same."""
    chosen = candidates(source)
    columns = []
    for partner in ("one", "two"):
        names = Pseudonyms(b"k" * 32, partner)
        result = pack(source, tmp_path / partner, 0, chosen, pseudonyms=names)
        columns.append(pq.read_table(tmp_path / partner / result.manifest))
    for column in ("path", "subject_pseudonym"):
        one, two = (set(table[column].to_pylist()) for table in columns)
        assert len(one) > 1
        assert not one & two
    assert set(columns[0]["sha256"].to_pylist()) == set(columns[1]["sha256"].to_pylist())


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_age(source: Path, staging: Path, packing: str) -> None:
    """With an age key only `.age` files lie there, and the partner's identity opens them."""
    identity = pyrage.x25519.Identity.generate()
    chosen = candidates(source)
    result = pack(
        source, staging, 0, chosen, packing=packing, age_recipient=str(identity.to_public())
    )
    plain_result = pack(source, staging.with_name("plain"), 0, chosen, packing=packing)
    plain_files = files(staging.with_name("plain"))
    for file in result.files:
        data = (staging / file.path).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), sha256(data).hexdigest())
        assert pyrage.decrypt(data, [identity]) == plain_files[file.path.removesuffix(".age")]
    assert result.manifest_sha256 == plain_result.manifest_sha256
    assert all(name.endswith((".age", ".parquet")) for name in files(staging))


def test_a_bad_age_key_is_an_error(source: Path, staging: Path) -> None:
    """A malformed recipient is an error, and nothing is written in the clear instead."""
    with pytest.raises(ValueError, match="age1nonsense"):
        pack(source, staging, 0, candidates(source), age_recipient="age1nonsense")
    assert files(staging) == {}


def test_an_unknown_packing_is_an_error(source: Path, staging: Path) -> None:
    """Only the two packings of the contract exist."""
    with pytest.raises(ValueError, match="zip"):
        pack(source, staging, 0, candidates(source), packing="zip")


def _grow(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")


def _touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def _vanish(file: Path) -> None:
    file.unlink()


def _become_a_link(file: Path) -> None:
    outside = file.parents[2] / "outside.jpg"
    file.rename(outside)
    file.symlink_to(outside)


def _become_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _move_the_folder_outside(file: Path) -> None:
    outside = file.parents[2] / "outside"
    file.parent.rename(outside)
    file.parent.symlink_to(outside)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_grow, "changed since it was indexed: index the dataset again"),
        (_touch, "changed since it was indexed: index the dataset again"),
        (_vanish, "missing"),
        (_become_a_link, "is a link; only files themselves are exported"),
        (_become_a_pipe, "is not a plain file"),
        (_move_the_folder_outside, "is a link that leads out of the dataset's folder"),
    ],
)
def test_what_is_not_as_indexed_is_unread(
    source: Path, staging: Path, spoil: Callable[[Path], None], says: str
) -> None:
    """A file that vanished, changed or became something else is left out and named."""
    chosen = candidates(source)
    spoiled = chosen[2].path
    spoil(source / spoiled)
    result = pack(source, staging, 0, chosen)
    assert {unread.path: unread.detail for unread in result.unread}[spoiled] == says
    assert result.objects == len(chosen) - len(result.unread)
    with tarfile.open(staging / "shard-00000.tar") as shard:
        assert f"{PSEUDONYMS.object(spoiled)}.jpg" not in shard.getnames()


@pytest.mark.parametrize(
    "path", ["../outside.jpg", "a/../../outside.jpg", "/etc/hostname", "a//b.jpg", "", "a\x00b.jpg"]
)
def test_nothing_outside_the_source_is_read(source: Path, staging: Path, path: str) -> None:
    """A path that leads out of the dataset, whoever wrote it, is unread."""
    outside = source.parent / "outside.jpg"
    outside.write_bytes(jpeg())
    status = outside.stat()
    trap = Candidate(path, "eve", status.st_size, status.st_mtime_ns, "image/jpeg", 1)
    result = pack(source, staging, 0, [trap])
    assert result.objects == 0
    assert [unread.path for unread in result.unread] == [path]


def test_odd_names_and_formats(source: Path, staging: Path) -> None:
    """Newlines and 250 characters are fine in a name; other formats and broken files are not."""
    home = source / "odd"
    home.mkdir()
    (home / "line\nbreak.jpg").write_bytes(with_secrets(jpeg(seed=90)))
    (home / ("x" * 250 + ".jpg")).write_bytes(jpeg(seed=91))
    (home / "drawing.png").write_bytes(b"\x89PNG")
    (home / "broken.jpg").write_bytes(jpeg()[:-2])
    result = pack(source, staging, 0, candidates(source))
    assert result.objects == 14
    assert sorted(unread.path for unread in result.unread) == ["odd/broken.jpg", "odd/drawing.png"]


def test_no_source_is_not_no_photos(source: Path, staging: Path) -> None:
    """A dataset whose folder is gone fails as a whole; it does not look like missing photos."""
    chosen = candidates(source)
    source.rename(source.with_name("moved"))
    with pytest.raises(SourceFailed) as failed:
        pack(source, staging, 0, chosen)
    assert failed.value.code == "source_missing"


def test_an_empty_shard(source: Path, staging: Path) -> None:
    """A shard of which nothing is left has no data file and a part without rows."""
    gone = [replace(c, path=c.path + "x") for c in candidates(source)]
    for packing in ("webdataset", "objects"):
        result = pack(source, staging, 0, gone, packing=packing)
        assert (result.files, result.objects, len(result.unread)) == ((), 0, 12)
        assert set(files(staging)) == {"parts/manifest-00000.parquet"}


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_redo_gives_the_same_bytes(source: Path, tmp_path: Path, packing: str) -> None:
    """Another attempt, another order of candidates, another place: the same bytes."""
    chosen = candidates(source)
    one = pack(source, tmp_path / "one", 0, chosen, packing=packing)
    two = pack(source, tmp_path / "two", 0, chosen[::-1], packing=packing, attempt="other")
    assert one == two
    assert files(tmp_path / "one") == files(tmp_path / "two")


class Stop(Exception):
    """Raised by progress, as a cancelled export does."""


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_stopped_attempt_leaves_nothing(source: Path, staging: Path, packing: str) -> None:
    """An attempt that is stopped leaves nothing visible, and the next one what it should."""

    def stop(objects: int, _: int) -> None:
        if objects >= 12:
            raise Stop

    with pytest.raises(Stop):
        pack(source, staging, 0, candidates(source), packing=packing, progress=stop)
    assert files(staging) == {}
    again = pack(source, staging, 0, candidates(source), packing=packing, attempt="2")
    assert again.objects == 12


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_superseded_attempt_publishes_nothing(source: Path, staging: Path, packing: str) -> None:
    """An attempt that was overtaken while it slept fails, and what overtook it stays."""
    chosen = candidates(source)

    def overtaken(objects: int, _: int) -> None:
        if objects >= 12:
            pack(source, staging, 0, chosen[:6], packing=packing, attempt="2")

    with pytest.raises(DestinationFailed) as failed:
        pack(source, staging, 0, chosen, packing=packing, attempt="1", progress=overtaken)
    assert failed.value.code == "superseded"
    clean = staging.with_name("clean")
    pack(source, clean, 0, chosen[:6], packing=packing)
    assert files(staging) == files(clean)


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_redo_without_withdrawn_objects(source: Path, staging: Path, packing: str) -> None:
    """A shard made again for fewer objects holds nothing of those that went."""
    chosen = candidates(source)
    pack(source, staging, 0, chosen, packing=packing)
    pack(source, staging, 0, chosen[4:], packing=packing, attempt="2")
    clean = staging.with_name("clean")
    pack(source, clean, 0, chosen[4:], packing=packing)
    assert files(staging) == files(clean)
    pack(source, staging, 0, [], packing=packing, attempt="3")
    assert set(files(staging)) == {"parts/manifest-00000.parquet"}


def test_progress(source: Path, staging: Path) -> None:
    """Progress ends with all objects and their bytes."""
    told: list[tuple[int, int]] = []
    result = pack(
        source, staging, 0, candidates(source), progress=lambda *counts: told.append(counts)
    )
    assert told[-1] == (12, result.bytes)
