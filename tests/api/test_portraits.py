"""The demo's portraits are photos as cameras make them, and the same on every machine."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import IFD

from api.demo.portraits import Portrait, draw
from sharing.export.minimise import minimise
from tests.sharing.export.packages import files


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Portrait]]:
    """A dozen portraits."""
    folder = tmp_path_factory.mktemp("portraits")
    return folder, draw(folder, 12)


def test_as_many_as_asked(drawn: tuple[Path, list[Portrait]]) -> None:
    """Each portrait is one file under its subject's folder, 20 to 80 KB, and nothing else is."""
    folder, portraits = drawn
    found = files(folder)
    assert sorted(found) == sorted(portrait.path for portrait in portraits)
    assert len(found) == 12
    assert all(portrait.path.startswith(f"{portrait.subject}/") for portrait in portraits)
    assert all(20_000 < len(data) < 80_000 for data in found.values())


def test_they_carry_what_must_not_leave(drawn: tuple[Path, list[Portrait]]) -> None:
    """Each carries camera, time, place, name, thumbnail and profile, and minimise takes them."""
    folder, portraits = drawn
    for portrait in portraits:
        data = (folder / portrait.path).read_bytes()
        with Image.open(BytesIO(data)) as image:
            assert sorted(image.size) == [640, 800]
            exif = image.getexif()
            place, second = exif.get_ifd(IFD.GPSInfo), exif.get_ifd(IFD.IFD1)
            assert exif[0x010F]
            assert exif[0x013B] == portrait.photographer
            assert exif.get_ifd(IFD.Exif)[0x9003] == portrait.taken_at.strftime("%Y:%m:%d %H:%M:%S")
            degrees, minutes, seconds = (float(part) for part in place[2])
            assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(
                abs(portrait.latitude), abs=1e-5
            )
            start = data.index(b"Exif\x00\x00") + 6 + second[0x0201]
            with Image.open(BytesIO(data[start : start + second[0x0202]])) as thumbnail:
                assert thumbnail.size == (160, 200)
            assert portrait.photographer.encode() in image.info["xmp"]
            assert image.info["icc_profile"]
        left = b"".join(minimise(data, "image/jpeg"))
        assert portrait.photographer.encode() not in left
        assert portrait.subject.encode() not in left


def test_the_same_on_every_run(drawn: tuple[Path, list[Portrait]], tmp_path: Path) -> None:
    """The same count and seed give the same files; another seed gives other ones."""
    folder, portraits = drawn
    assert draw(tmp_path / "again", 12) == portraits
    assert files(tmp_path / "again") == files(folder)
    assert draw(tmp_path / "other", 12, seed=7) != portraits


def test_some_are_turned_and_some_share_a_subject(drawn: tuple[Path, list[Portrait]]) -> None:
    """A dozen has both upright and turned photos, and subjects with several photos."""
    _, portraits = drawn
    assert len({portrait.orientation for portrait in portraits}) > 1
    assert 1 < len({portrait.subject for portrait in portraits}) < 12
