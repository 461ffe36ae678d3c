"""Real photographs, with what real cameras, phones and editors wrote into them."""

import shutil
import subprocess
from io import BytesIO
from json import loads
from pathlib import Path

import pytest
from PIL import Image

from sharing.export.minimise import Unreadable, minimise
from tests.sharing.export.packages import delivered, files
from tests.sharing.export.photos import candidates, pixels

ALLOWED = {"ExifTool", "System", "File", "JFIF", "Adobe", "ICC-header", "ICC_Profile", "Composite"}


@pytest.fixture(scope="session")
def photos(camera_photos: Path) -> list[Path]:
    """Every JPEG in the folder."""
    return sorted(path for path in camera_photos.rglob("*") if path.suffix.lower() == ".jpg")


def _decodes(data: bytes) -> bool:
    try:
        pixels(data)
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def test_unreadable_is_what_no_decoder_reads(photos: list[Path]) -> None:
    """A photo is Unreadable exactly where an independent decoder cannot decode it either."""
    for photo in photos:
        data = photo.read_bytes()
        try:
            minimise(data, "image/jpeg")
            readable = True
        except Unreadable:
            readable = False
        assert readable == _decodes(data), photo


def test_real_pixels_profile_and_orientation_stay(photos: list[Path]) -> None:
    """Decoded pixels, colour profile and orientation of each photograph are what they were."""
    looked_at = 0
    for photo in photos:
        data = photo.read_bytes()
        if not _decodes(data):
            continue
        result = b"".join(minimise(data, "image/jpeg"))
        with Image.open(BytesIO(data)) as before, Image.open(BytesIO(result)) as after:
            assert before.tobytes() == after.tobytes(), photo
            assert before.info.get("icc_profile") == after.info.get("icc_profile"), photo
            turned = before.getexif().get(0x0112, 1)
            assert dict(after.getexif()) == ({} if turned == 1 else {0x0112: turned}), photo
        looked_at += 1
    assert looked_at >= 20


def test_exiftool_finds_nothing_in_a_package(
    photos: list[Path], camera_photos: Path, tmp_path: Path
) -> None:
    """After an export, exiftool finds no EXIF, XMP, IPTC, maker note or comment in any object."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl).")
    made = delivered(camera_photos, tmp_path, candidates(camera_photos), packing="objects")
    assert len([name for name in files(made.folder) if name.endswith(".jpg")]) == len(photos)
    before = _tags(camera_photos)
    after = _tags(made.folder / "objects")
    assert {"GPS", "IFD0", "XMP-xmp", "Nikon"} <= before
    assert after <= ALLOWED | {"ICC-view", "ICC-meas"}


def test_pyexiv2_finds_nothing(photos: list[Path]) -> None:
    """A second independent reader finds no EXIF but orientation, no IPTC, no XMP, no comment."""
    pyexiv2 = pytest.importorskip("pyexiv2", exc_type=ImportError)
    for photo in photos:
        result = b"".join(minimise(photo.read_bytes(), "image/jpeg"))
        with pyexiv2.ImageData(result) as image:
            assert set(image.read_exif()) <= {"Exif.Image.Orientation"}, photo
            assert image.read_iptc() == {}, photo
            assert image.read_xmp() == {}, photo
            assert image.read_comment() == "", photo


def _tags(folder: Path) -> set[str]:
    """The groups of tags in all files below a folder."""
    command = ["exiftool", "-a", "-u", "-G1", "-ee", "-json", "-r", str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {name.split(":")[0] for photo in loads(found) for name in photo} - {"SourceFile"}
