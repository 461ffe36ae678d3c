"""scan finds exactly the photos of a folder, and says who is in them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.demo.portraits import draw
from sharing.errors import Refused
from sharing.export.index import IndexedObject, folder_of, scan
from sharing.export.taken import ReadAt, taken_at
from tests.sharing.export.carriers import DATED, SPOILED, encoded
from tests.sharing.export.photos import jpeg

PATTERN = "path:{subject}/*"


def put(folder: Path, *names: str) -> None:
    """Small files by these names."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg())


def refusal(folder: Path | str, subject_from: str = PATTERN) -> Refused:
    """What `scan` refuses with."""
    with pytest.raises(Refused) as refused:
        list(scan(str(folder), subject_from))
    return refused.value


def test_images_only_sorted_by_path(tmp_path: Path) -> None:
    """Images of any case are found, in the order of their whole paths; other files are not."""
    put(tmp_path, "a/1.JPG", "a/2.jpeg", "a/x.txt", "a-b/3.png", "a.b/4.webp", "b/5.HEIC", "6.jpg")
    found = list(scan(str(tmp_path), PATTERN))
    assert [o.path for o in found] == ["a-b/3.png", "a.b/4.webp", "a/1.JPG", "a/2.jpeg", "b/5.HEIC"]
    assert [o.path for o in found] == sorted(o.path for o in found)
    assert [o.media_type for o in found] == [
        "image/png", "image/webp", "image/jpeg", "image/jpeg", "image/heic"
    ]  # fmt: skip
    status = (tmp_path / "a/1.JPG").stat()
    assert found[2] == IndexedObject(
        "a/1.JPG", "a", status.st_size, status.st_mtime_ns, "image/jpeg", None
    )


def test_a_file_url_is_the_same_place(tmp_path: Path) -> None:
    """A location may be a path or a file:// URL with its escapes."""
    put(tmp_path / "my photos", "a/1.jpg")
    url = (tmp_path / "my photos").as_uri()
    assert "%20" in url
    assert list(scan(url, PATTERN)) == list(scan(str(tmp_path / "my photos"), PATTERN))
    assert folder_of(url) == tmp_path / "my photos"


def test_other_places_are_refused(tmp_path: Path) -> None:
    """Other URLs and absent folders are refused with what to do."""
    assert refusal("s3://bucket/photos").code == "invalid_body"
    assert refusal("file://elsewhere/photos").code == "invalid_body"
    assert refusal(tmp_path / "absent").code == "missing_folder"


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither a linked file nor a linked folder is an object, wherever it leads."""
    put(tmp_path / "outside", "secret/1.jpg")
    put(tmp_path / "inside", "a/1.jpg")
    (tmp_path / "inside/a/2.jpg").symlink_to(tmp_path / "outside/secret/1.jpg")
    (tmp_path / "inside/b").symlink_to(tmp_path / "outside/secret")
    (tmp_path / "inside/loop").symlink_to(tmp_path / "inside")
    os.mkfifo(tmp_path / "inside/a/3.jpg")
    assert [o.path for o in scan(str(tmp_path / "inside"), PATTERN)] == ["a/1.jpg"]


def test_odd_names_are_kept_as_they_are(tmp_path: Path) -> None:
    """Newlines, control characters and the longest names are names like others."""
    names = ["a/line\nbreak.jpg", "a/bell\x07.jpg", "a/" + "x" * 251 + ".jpg", "a/..jpg.jpg"]
    put(tmp_path, *names)
    assert [o.path for o in scan(str(tmp_path), PATTERN)] == sorted(names)


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A name that no database could hold is an error with the cure, not an object lost."""
    put(tmp_path, "a/1.jpg")
    (tmp_path / "a" / os.fsdecode(b"\xff.jpg")).write_bytes(jpeg())
    refused = refusal(tmp_path)
    assert refused.code == "bad_index"
    assert "rename it" in refused.detail


def test_when_a_photo_was_taken(tmp_path: Path) -> None:
    """The time comes from EXIF, as UTC; a photo without one, or a broken one, has none."""
    drawn = draw(tmp_path, 4)
    put(tmp_path, "z/plain.jpg")
    (tmp_path / "z/broken.jpg").write_bytes(b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00MM\x00*\xff")
    found = {o.path: o.taken_at for o in scan(str(tmp_path), PATTERN)}
    assert {p.path: p.taken_at for p in drawn}.items() <= found.items()
    assert found["z/plain.jpg"] is None
    assert found["z/broken.jpg"] is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_every_format_says_when(tmp_path: Path, kind: str) -> None:
    """The time is found where each format keeps its EXIF, whatever the file is called."""
    (tmp_path / "a").mkdir()
    data = encoded(kind, exif=DATED)
    for name in ("1.jpg", "2.heif", "3.png"):
        (tmp_path / "a" / name).write_bytes(data)
    (tmp_path / "a/4.webp").write_bytes(encoded(kind))
    (tmp_path / "a/5.hif").write_bytes(data[: len(data) // 2])
    found = [o.taken_at for o in scan(str(tmp_path), PATTERN)]
    assert found[:4] == [datetime(2012, 5, 4, 3, 2, 1, tzinfo=UTC)] * 3 + [None]
    assert len(found) == 5


@pytest.mark.parametrize("name", sorted(SPOILED))
def test_no_photo_stops_an_index(name: str) -> None:
    """Cut anywhere, a photo has the time that it says or none; nothing is raised."""
    data = SPOILED[name]()
    for end in range(0, len(data), 7):
        taken_at(_reader(data[:end]))


def _reader(data: bytes) -> ReadAt:
    return lambda at, size: data[at : at + size]


def test_progress(tmp_path: Path) -> None:
    """Progress ends with the number of objects."""
    put(tmp_path, "a/1.jpg", "a/2.jpg")
    told: list[int] = []
    list(scan(str(tmp_path), PATTERN, told.append))
    assert told[-1] == 2


def as_csv(file: Path, rows: list[tuple[str, str, str]]) -> None:
    """An index file as a spreadsheet writes it."""
    lines = ["\ufeffsubject,object,taken_at,note", *(f'"{s}",{o},{t},x' for o, s, t in rows)]
    file.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")


def as_parquet(file: Path, rows: list[tuple[str, str, str]]) -> None:
    """An index file with real timestamps."""
    times = [datetime.fromisoformat(t) if t else None for _, _, t in rows]
    table = pa.table(
        {"subject": [s for _, s, _ in rows], "object": [o for o, _, _ in rows], "taken_at": times}
    )
    pq.write_table(table, file)


@pytest.mark.parametrize(("name", "write"), [("index.csv", as_csv), ("index.parquet", as_parquet)])
def test_an_index_file(
    tmp_path: Path, name: str, write: Callable[[Path, list[tuple[str, str, str]]], None]
) -> None:
    """An index file names objects and subjects, and may say when a photo was taken."""
    put(tmp_path, "b.jpg", "a.jpg", "not-listed.jpg")
    write(
        tmp_path / name,
        [("b.jpg", "Bea, the second", "2012-05-31T10:00:00+02:00"), ("a.jpg", "anna", "")],
    )
    found = list(scan(str(tmp_path), name))
    assert [(o.path, o.subject) for o in found] == [("a.jpg", "anna"), ("b.jpg", "Bea, the second")]
    assert found[0].taken_at is None
    assert found[1].taken_at == datetime(2012, 5, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("../secret.jpg,eve", "'..'"),
        ("a/../../secret.jpg,eve", "'..'"),
        ("/etc/passwd.jpg,eve", "absolute"),
        (",eve", "empty"),
        ("x" * 5000 + ".jpg,eve", "longer"),
        ("gone.jpg,eve", "not a file"),
        ("link.jpg,eve", "not a file"),
        ("linked/1.jpg,eve", "not a file"),
        ("index.csv,eve", "not an image"),
        ("a.jpg,anna", "twice"),
        ("b.jpg,", "subject"),
        ("b.jpg," + "x" * 2000, "subject"),
        ("b.jpg,bea,more", "fields"),
        ('b.jpg,"bea', "cannot be read"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    """A line that cannot be taken is refused with its number and what is wrong with it."""
    put(tmp_path / "outside", "1.jpg")
    folder = tmp_path / "dataset"
    put(folder, "a.jpg", "b.jpg")
    put(tmp_path, "secret.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "index.csv").write_text(f"object,subject\na.jpg,anna\n{line}\n")
    refused = refusal(folder, "index.csv")
    assert refused.code == "bad_index"
    assert says in refused.detail
    assert "line 3" in refused.detail or says == "cannot be read"
    assert len(refused.detail) < 500


def test_a_bad_time_is_named(tmp_path: Path) -> None:
    """A time that is none is refused with its line."""
    put(tmp_path, "a.jpg")
    (tmp_path / "index.csv").write_text("object,subject,taken_at\na.jpg,anna,yesterday\n")
    assert "line 2: taken_at 'yesterday'" in refusal(tmp_path, "index.csv").detail


def test_no_index_file(tmp_path: Path) -> None:
    """An absent, foreign or unreadable index file is refused with what to do."""
    assert refusal(tmp_path, "index.csv").code == "missing_index"
    (tmp_path / "index.csv").write_text("photo,person\n")
    assert "no column object and no column subject" in refusal(tmp_path, "index.csv").detail
    (tmp_path / "index.csv").write_bytes(b"object,subject\n\xff\xfe,x\n")
    assert refusal(tmp_path, "index.csv").code == "bad_index"
    (tmp_path / "index.parquet").write_bytes(b"PAR1 not really PAR1")
    assert refusal(tmp_path, "index.parquet").code == "bad_index"
