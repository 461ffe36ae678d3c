"""minimise leaves the picture as it was and takes everything else."""

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.demo.camera import srgb_profile
from sharing.export.exif import orientation, with_orientation
from sharing.export.minimise import Unreadable, minimise
from tests.sharing.export.photos import (
    EXIF,
    coloured_and_turned,
    jpeg,
    pixels,
    segment,
    with_secrets,
)


def stripped(data: bytes) -> bytes:
    return b"".join(minimise(data, "image/jpeg"))


KINDS = {
    "baseline": jpeg(),
    "progressive": jpeg(progressive=True),
    "optimised": jpeg(optimize=True),
    "grey": jpeg(mode="L"),
    "four colours, marked by Adobe": jpeg(mode="CMYK"),
    "RGB without conversion": jpeg(keep_rgb=True),
    "restart markers": jpeg(size=(96, 96), restart_marker_blocks=2),
    "progressive with restart markers": jpeg(
        size=(96, 96), progressive=True, restart_marker_rows=1
    ),
    "no subsampling": jpeg(subsampling=0, quality=98),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_stay(kind: str) -> None:
    """Every kind of JPEG decodes to the same pixels after its metadata is gone."""
    data = with_secrets(KINDS[kind])
    result = stripped(data)
    assert pixels(result) == pixels(data)
    assert b"SECRET" in data
    assert b"SECRET" not in result


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_photo_is_a_fixed_point(kind: str) -> None:
    """Stripping what was stripped changes nothing."""
    once = stripped(with_secrets(KINDS[kind]))
    assert stripped(once) == once


def test_profile_and_orientation_stay() -> None:
    """The colour profile and an orientation other than upright are the only metadata left."""
    result = stripped(with_secrets(coloured_and_turned())[:-20])
    with Image.open(BytesIO(result)) as image:
        assert image.info["icc_profile"] == srgb_profile()
        assert dict(image.getexif()) == {0x0112: 6}
        assert "comment" not in image.info
        assert "xmp" not in image.info


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation(value: int) -> None:
    """Orientations 2 to 8 stay as they are; 1 needs no tag at all."""
    data = jpeg()
    result = stripped(data[:2] + with_orientation(value) + data[2:])
    with Image.open(BytesIO(result)) as image:
        assert dict(image.getexif()) == ({} if value == 1 else {0x0112: value})


def test_a_long_profile_stays_whole() -> None:
    """A profile that needs many segments comes out as it went in, whatever their order."""
    long = srgb_profile()
    long = (150_000).to_bytes(4, "big") + long[4:] + bytes(150_000 - len(long))
    data = jpeg(icc_profile=long)
    first = data.index(b"\xff\xe2")
    size = int.from_bytes(data[first + 2 : first + 4], "big") + 2
    swapped = data[:first] + data[first + size : first + 2 * size] + data[first : first + size]
    swapped += data[first + 2 * size :]
    for version in (data, swapped):
        with Image.open(BytesIO(stripped(version))) as image:
            assert image.info["icc_profile"] == long


def test_a_profile_hides_nothing_behind_its_end() -> None:
    """Bytes behind the profile's own length go, and what is no profile goes altogether."""
    hidden = jpeg(icc_profile=srgb_profile() + b"SECRET")
    with Image.open(BytesIO(stripped(hidden))) as image:
        assert image.info["icc_profile"] == srgb_profile()
    assert b"SECRET" not in stripped(jpeg(icc_profile=b"SECRET" * 40))


def test_metadata_between_scans_goes() -> None:
    """A progressive file cannot hide a comment or an APP segment between two scans."""
    data = KINDS["progressive"]
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    before_tables = data.rfind(b"\xff\xc4", 0, second)
    at = before_tables if before_tables > data.index(b"\xff\xda") else second
    spiked = data[:at] + segment(0xFE, b"SECRET") + segment(0xE1, EXIF) + data[at:]
    result = stripped(spiked)
    assert b"SECRET" in spiked
    assert b"SECRET" not in result
    assert pixels(result) == pixels(data)
    with Image.open(BytesIO(result)) as image:
        assert dict(image.getexif()) == {}, "an orientation that no viewer would have followed"


def test_fill_bytes_are_no_garbage() -> None:
    """0xFF may be repeated before any marker; the pixels are the same without them."""
    data = KINDS["baseline"]
    table = data.index(b"\xff\xdb")
    filled = data[:table] + b"\xff\xff\xff" + data[table:-2] + b"\xff" + data[-2:]
    assert pixels(stripped(filled)) == pixels(data)


def test_the_thumbnail_in_jfif_goes() -> None:
    """A JFIF segment stays without the thumbnail it may carry."""
    data = KINDS["baseline"]
    assert data[2:4] == b"\xff\xe0"
    fat = b"JFIF\x00\x01\x01\x01\x00H\x00H\x02\x02" + b"SECRETSECRET"
    result = stripped(data[:2] + segment(0xE0, fat) + data[20:])
    assert b"SECRET" not in result
    with Image.open(BytesIO(result)) as image:
        assert image.info["dpi"] == (72, 72)


def test_a_second_photo_behind_the_first_goes() -> None:
    """What phones append after the end marker (a second photo, a video) is not delivered."""
    assert stripped(KINDS["baseline"] + jpeg(seed=2)) == stripped(KINDS["baseline"])


SOS = KINDS["baseline"].index(b"\xff\xda")
SOF = KINDS["baseline"].index(b"\xff\xc0")
BROKEN = {
    "empty": b"",
    "text": b"GIF89a, or so it says",
    "start marker only": b"\xff\xd8",
    "no scan": KINDS["baseline"][:SOS] + b"\xff\xd9",
    "no frame": KINDS["baseline"][:SOF] + KINDS["baseline"][SOS:],
    "no end": KINDS["baseline"][:-2],
    "half a marker at the end": KINDS["baseline"][:-1],
    "cut in the scan": KINDS["baseline"][: SOS + 40],
    "cut in a segment": KINDS["baseline"][: SOF + 6],
    "cut in a length": KINDS["baseline"][: SOF + 3],
    "garbage between segments": KINDS["baseline"][:SOF] + b"junk" + KINDS["baseline"][SOF:],
    "a segment length of zero": KINDS["baseline"][:2] + b"\xff\xe1\x00\x00" + KINDS["baseline"][2:],
    "two frames": KINDS["baseline"][:SOS] + KINDS["baseline"][SOF:],
    "an empty scan": KINDS["baseline"][: SOS + 14] + b"\xff\xd9",
    "no height": KINDS["baseline"][: SOF + 5] + b"\x00\x00" + KINDS["baseline"][SOF + 7 :],
    "a second start": KINDS["baseline"][:2] + KINDS["baseline"],
    "a hierarchical frame": KINDS["baseline"].replace(b"\xff\xc0", b"\xff\xc5"),
    "only fill bytes": b"\xff\xd8" + b"\xff" * 100,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_unreadable(kind: str) -> None:
    """A file that is not a whole JPEG is refused with a sentence, never passed on in part."""
    with pytest.raises(Unreadable) as refused:
        stripped(BROKEN[kind])
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize("media_type", ["image/png", "image/webp", "image/heic", "text/plain"])
def test_a_jpeg_is_nothing_else(media_type: str) -> None:
    """A JPEG that is taken for something else is not passed on."""
    with pytest.raises(Unreadable):
        minimise(KINDS["baseline"], media_type)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_damage_never_escapes(kind: str, data: st.DataObject) -> None:
    """Whatever happens to a file's bytes, it is stripped or Unreadable, and cutting is noticed."""
    whole = with_secrets(KINDS[kind])
    at = data.draw(st.integers(2, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for version in (bytes(flipped), whole[:at]):
        try:
            result = stripped(version)
        except Unreadable:
            continue
        assert result.startswith(b"\xff\xd8")
        assert result.endswith(b"\xff\xd9")
    with pytest.raises(Unreadable):
        stripped(KINDS[kind][: data.draw(st.integers(0, len(KINDS[kind]) - 1))])


@given(st.binary(max_size=300))
def test_any_exif_has_an_orientation(block: bytes) -> None:
    """No EXIF block, however broken, stops an export."""
    assert 1 <= orientation(block) <= 8
    assert 1 <= orientation(b"II*\x00\x08\x00\x00\x00" + block) <= 8


def test_an_independent_reader_finds_nothing(tmp_path: Path) -> None:
    """exiftool sees metadata before, and only colour profile and orientation after."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl).")
    before, after = tmp_path / "before.jpg", tmp_path / "after.jpg"
    before.write_bytes(with_secrets(coloured_and_turned()))
    after.write_bytes(stripped(before.read_bytes()))
    assert "SECRET" in _exiftool(before)
    assert "SECRET" not in _exiftool(after)
    groups = {line.split("]")[0].strip("[") for line in _exiftool(after).splitlines()}
    assert groups <= {
        "ExifTool", "System", "File", "JFIF", "IFD0", "Composite",
        "ICC-header", "ICC_Profile", "ICC-chrm",
    }  # fmt: skip
    assert "Rotate 90 CW" in _exiftool(after)


def _exiftool(file: Path) -> str:
    command = ["exiftool", "-a", "-u", "-G1", "-ee", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
