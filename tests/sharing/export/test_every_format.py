"""PNG, WebP and HEIC leave as JPEG does: the same pixels, and nothing that tells of anyone."""

import shutil
import subprocess
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from json import loads
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.demo.camera import srgb_profile
from sharing.export.iso_boxes import written
from sharing.export.minimise import EXTENSIONS, Unreadable, format_of, minimise
from sharing.export.verify import verify
from tests.sharing.export import carriers
from tests.sharing.export.carriers import (
    DATED,
    SPOILED,
    chunk,
    chunks,
    encoded,
    flips,
    png_of,
    riff,
    riff_chunks,
)
from tests.sharing.export.packages import KEY, delivered
from tests.sharing.export.photos import candidates, jpeg, picture, pixels, with_secrets

SMALL = {name: make() for name, make in sorted(SPOILED.items())}


def stripped(data: bytes) -> bytes:
    return b"".join(minimise(data, format_of(data)))


def refusal(data: bytes) -> str:
    """Why this cannot be exported."""
    with pytest.raises(Unreadable) as refused:
        stripped(data)
    assert refused.value.detail.endswith(".")
    return refused.value.detail


@pytest.mark.parametrize("name", SMALL)
def test_only_the_picture_stays(name: str) -> None:
    """With everything planted that a format can carry, the pixels stay and no text does."""
    data = SMALL[name]
    result = stripped(data)
    assert pixels(result) == pixels(data)
    assert data.count(b"SECRET") > 5
    assert b"SECRET" not in result
    assert b"SECR" not in result


@pytest.mark.parametrize("name", SMALL)
def test_profile_and_orientation_stay(name: str) -> None:
    """The colour profile is what it was, and a decoder turns the photo as it did before."""
    data = SMALL[name]
    with Image.open(BytesIO(data)) as before, Image.open(BytesIO(stripped(data))) as after:
        assert after.info["icc_profile"] == srgb_profile()
        if name.startswith("heic"):  # turned by the decoder itself, so the pixels have said it
            assert dict(after.getexif()) == {}
        else:
            assert before.getexif()[0x0112] == 6
            assert dict(after.getexif()) == {0x0112: 6}
        assert not after.info.keys() & {"xmp", "XML:com.adobe.xmp", "comment", "Comment"}


@pytest.mark.parametrize("name", SMALL)
def test_what_was_stripped_stays_as_it_is(name: str) -> None:
    """Stripping what was stripped changes nothing."""
    once = stripped(SMALL[name])
    assert stripped(once) == once


def test_an_independent_reader_finds_nothing(tmp_path: Path) -> None:
    """exiftool reads the texts before; after, nothing but picture, profile and orientation."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl).")
    for place in ("before", "after"):
        (tmp_path / place).mkdir()
        for name, data in SMALL.items():
            file = tmp_path / place / (name + EXTENSIONS[format_of(data)])
            file.write_bytes(data if place == "before" else stripped(data))
    told = _exiftool(tmp_path / "before")
    assert all("SECRET" in str(photo) for photo in told)
    left = _exiftool(tmp_path / "after")
    assert len(left) == len(SMALL)
    for photo in left:
        assert "SECRET" not in str(photo)
        assert "Warning" not in str(photo), photo
        groups = {tag.split(":")[0] for tag in photo if not tag.startswith("ICC")}
        assert groups <= {
            "SourceFile", "ExifTool", "System", "File", "PNG", "PNG-pHYs", "RIFF", "QuickTime",
            "Meta", "Composite", "IFD0",
        }  # fmt: skip
        assert {tag for tag in photo if tag.startswith("IFD0:")} <= {"IFD0:Orientation"}


def _exiftool(folder: Path) -> list[dict[str, Any]]:
    command = ["exiftool", "-a", "-u", "-G1", "-ee", "-json", "-r", str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    photos: list[dict[str, Any]] = loads(found)
    return photos


@pytest.mark.parametrize("name", ["png, palette", "webp", "webp, transparent", "heic"])
def test_a_file_cut_anywhere_tells_nothing(name: str) -> None:
    """Cut at any byte, a photo is Unreadable, or all of its picture was there."""
    whole, data = stripped(SMALL[name]), SMALL[name]
    passed = 0
    for end in range(len(data)):
        try:
            result = stripped(data[:end])
        except Unreadable:
            continue
        assert result == whole
        passed += 1
    assert 0 < passed < len(data) / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["png, palette", "webp", "webp, transparent", "heic"])
def test_no_flipped_bit_lets_a_text_through(name: str) -> None:
    """Turn any one bit over: what still passes tells nothing."""
    passed = 0
    for damaged in flips(SMALL[name]):
        try:
            result = stripped(damaged)
        except Unreadable:
            continue
        assert b"SECRET" not in result
        passed += 1
    assert passed


@given(st.sampled_from(sorted(SMALL)), st.data())
def test_damage_never_escapes(name: str, data: st.DataObject) -> None:
    """Whatever happens to a file, it is stripped or Unreadable, and never anything else."""
    damaged = bytearray(SMALL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                damaged[at] = data.draw(st.integers(0, 255))
            case 1:
                del damaged[at : at + data.draw(st.integers(1, 40))]
            case 2:
                damaged[at:at] = data.draw(st.binary(max_size=12))
            case _:
                other = data.draw(st.integers(0, len(damaged) - 1))
                damaged[at : at + 8] = damaged[other : other + 8]
        if not damaged:
            break
    with suppress(Unreadable):
        stripped(bytes(damaged))


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8 ", b"\0\0\0\x10ftypheic"]))
def test_a_beginning_is_no_photo(start: bytes) -> None:
    """A file that begins well and goes on with anything is Unreadable."""
    for more in (b"", b"SECRET" * 20, bytes(200), b"\xff" * 200):
        refusal(start + more)


PNG = encoded("PNG")
WEBP = encoded("WEBP")
HEIC = carriers.encoded("HEIF")


def animated(kind: str) -> bytes:
    frames = [picture((32, 32), seed=seed) for seed in range(3)]
    return encoded(kind, frames[0], save_all=True, append_images=frames[1:], duration=100)


def png_with(*parts: tuple[bytes, bytes], at: int = 1) -> bytes:
    """A PNG with more chunks, behind its first `at`."""
    whole = chunks(PNG)
    return png_of([*whole[:at], *parts, *whole[at:]])


def idat(data: bytes) -> bytes:
    """The compressed rows of a PNG."""
    return b"".join(body for kind, body in chunks(data) if kind == b"IDAT")


def png_rows(rows: bytes) -> bytes:
    """The same PNG with other compressed rows."""
    return png_of([chunks(PNG)[0], (b"IDAT", rows), (b"IEND", b"")])


REFUSED: dict[str, Callable[[], bytes]] = {
    "PNG: no end": lambda: PNG[:-12],
    "PNG: wrong sum in a text": lambda: png_with((b"tEXt", b"a\x00b")).replace(
        b"a\x00b", b"a\x00c"
    ),
    "PNG: wrong sum in the image": lambda: PNG[:-16] + b"\x00\x01\x02\x03" + PNG[-12:],
    "PNG: text behind the last row": lambda: png_rows(idat(PNG) + b"SECRET"),
    "PNG: a row too few": lambda: png_rows(zlib.compress(bytes(193 * 63))),
    "PNG: a row too many": lambda: png_rows(zlib.compress(bytes(193 * 65))),
    "PNG: rows that are none": lambda: png_rows(b"SECRET"),
    "PNG: animated": lambda: animated("PNG"),
    "PNG: an unknown chunk that must be known": lambda: png_with((b"SECr", b"")),
    "PNG: a header twice": lambda: png_with(chunks(PNG)[0]),
    "PNG: two gammas": lambda: png_with((b"gAMA", bytes(4)), (b"gAMA", bytes(4))),
    "PNG: a gamma that is a text": lambda: png_with((b"gAMA", b"SECRET")),
    "PNG: a palette that is none": lambda: png_with((b"PLTE", b"SECRE")),
    "PNG: transparency of nothing": lambda: png_with((b"tRNS", b"SECRET!")),
    "PNG: a gap in the image": lambda: png_of(
        [*chunks(PNG)[:2], (b"tEXt", b"a\x00b"), (b"IDAT", b""), (b"IEND", b"")]
    ),
    "PNG: no width": lambda: png_of(
        [(b"IHDR", bytes(4) + chunks(PNG)[0][1][4:]), *chunks(PNG)[1:]]
    ),
    "PNG: a length beyond all": lambda: PNG[:33] + b"\xff\xff\xff\xfftEXt" + PNG[33:],
    "WebP: animated": lambda: animated("WEBP"),
    "WebP: cut off": lambda: WEBP[:-2],
    "WebP: two images": lambda: riff(*riff_chunks(WEBP), *riff_chunks(WEBP)),
    "WebP: no image": lambda: riff((b"VP8X", bytes(10))),
    "WebP: an image that is none": lambda: riff((b"VP8 ", b"SECRET SECRET")),
    "WebP: a lossless one that is none": lambda: riff((b"VP8L", b"SECRET SECRET")),
    "WebP: another canvas": lambda: riff((b"VP8X", bytes(10)), *riff_chunks(WEBP)),
    "WebP: text first": lambda: riff((b"EXIF", b"SECRET"), *riff_chunks(WEBP)),
    "WebP: padded with a letter": lambda: riff(*riff_chunks(WEBP), (b"XMP ", b"S"))[:-1] + b"S",
    "HEIC: cut off": lambda: HEIC[:-2],
    "HEIC: a film": lambda: HEIC + written(b"moov", b""),
    "HEIC: two indexes": lambda: HEIC + written(b"meta", bytes(4)),
    "HEIC: no index": lambda: HEIC[: int.from_bytes(HEIC[:4], "big")],
    "HEIC: encrypted": lambda: HEIC.replace(b"\x00\x01\x00\x00hvc1", b"\x00\x01\x00\x01hvc1"),
    "HEIC: made of nobody knows what": lambda: HEIC.replace(b"hvc1\x00", b"SECR\x00"),
    "HEIC: needs what nobody knows": lambda: HEIC.replace(b"hvcC", b"SECR"),
    "HEIC: no size": lambda: HEIC.replace(b"ispe", b"free"),
    "HEIC: no description": lambda: HEIC.replace(b"hvcC", b"free"),
    "HEIC: sequence": lambda: HEIC.replace(b"ftypheic", b"ftyphevc").replace(b"heic", b"hevc"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_vouched_for_is_refused(case: str) -> None:
    """Malformed, cut, animated or hiding something: refused with a sentence, never passed on."""
    refusal(REFUSED[case]())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encoded("GIF"), "GIF"),
        (encoded("TIFF"), "TIFF"),
        (encoded("BMP"), "BMP"),
        (encoded("AVIF"), "AVIF"),
        (b"", "does not begin like a photo"),
        (b"hello", "does not begin like a photo"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", "film"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, says: str) -> None:
    """What cannot be cleaned says which format it is."""
    assert says in refusal(data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [("image/jpeg", jpeg()), ("image/png", PNG), ("image/webp", WEBP), ("image/heic", HEIC)],
)
def test_bytes_say_what_a_photo_is(kind: str, data: bytes) -> None:
    """The media type comes from the first bytes."""
    assert format_of(data) == kind
    assert format_of(with_secrets(jpeg())) == "image/jpeg"


@pytest.mark.parametrize("packing", ["webdataset", "objects"])
def test_a_package_of_every_format(tmp_path: Path, packing: str) -> None:
    """Each object leaves with the extension and media type of its bytes, and `verify` agrees."""
    home = tmp_path / "source/anna"
    home.mkdir(parents=True)
    for number, data in enumerate([jpeg(), PNG, WEBP, HEIC, encoded("GIF"), encoded("AVIF")]):
        (home / f"{number}.jpg").write_bytes(data)
    made = delivered(tmp_path / "source", tmp_path, candidates(tmp_path / "source"), packing)
    rows = pq.read_table(made.folder / "manifest.parquet").to_pylist()
    told = {(Path(row["path"]).suffix, row["media_type"]) for row in rows}
    assert told == {(extension, kind) for kind, extension in EXTENSIONS.items()}
    assert verify(made.folder, KEY.public_key()).objects == 4
    refused = {unread.path: unread.detail for shard in made.shards for unread in shard.unread}
    assert refused.keys() == {"anna/4.jpg", "anna/5.jpg"}
    assert "GIF" in refused["anna/4.jpg"]


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (33, 17)])
def test_every_png(mode: str, size: tuple[int, int], interlaced: bool) -> None:
    """Every kind of colour, at sizes that fill no byte, straight and interlaced, is as it was."""
    if mode in ("1", "P"):
        image = picture(size, "L").convert(mode)
    elif mode == "I;16":
        image = Image.frombytes(mode, size, bytes(range(256)) * 8, "raw", mode)
    else:
        image = picture(size, mode)
    data = encoded("PNG", image)
    if interlaced:
        data = _interlaced(data)
    result = stripped(carriers.spoiled_png(data) if mode != "I;16" else data)
    assert pixels(result) == pixels(data)


def _interlaced(data: bytes) -> bytes:
    """The same header, interlaced, over rows of zeros: as many as the seven passes have."""

    header = dict(chunks(data))[b"IHDR"]
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header[9]]
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    size = 0
    for x, y, by_x, by_y in (*starts, (0, 1, 1, 2)):
        columns, rows = len(range(x, width, by_x)), len(range(y, height, by_y))
        size += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    parts = [
        (kind, body[:12] + b"\x01" if kind == b"IHDR" else body)
        for kind, body in chunks(data)
        if kind != b"IDAT"
    ]
    return png_of([*parts[:-1], (b"IDAT", zlib.compress(bytes(size))), parts[-1]])


@pytest.mark.parametrize(
    "options",
    [{}, {"lossless": True}, {"quality": 1}, {"exact": True, "lossless": True}, {"method": 6}],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_webp(mode: str, options: dict[str, Any]) -> None:
    """Lossy and lossless, opaque and transparent, simple and extended files are as they were."""
    for more in ({}, {"exif": DATED, "xmp": carriers.XMP, "icc_profile": srgb_profile()}):
        data = encoded("WEBP", picture((33, 17), mode), **options, **more)
        result = stripped(data)
        assert pixels(result) == pixels(data)
        assert b"SECRET" not in result


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_every_heic(mode: str) -> None:
    """What libheif writes, in grey, in colour and transparent, decodes to the same pixels."""
    for more in ({}, {"exif": DATED, "xmp": carriers.XMP, "icc_profile": srgb_profile()}):
        data = encoded("HEIF", picture((70, 50), mode), quality=60, **more)
        result = stripped(data)
        assert pixels(result) == pixels(data)
        assert b"SECRET" not in result


def test_a_profile_hides_nothing_behind_its_end() -> None:
    """In a PNG, too, the profile is as long as it says, has no name, and is a profile or absent."""
    hidden = png_with((b"iCCP", b"SECRET\x00\x00" + zlib.compress(srgb_profile() + b"SECRET")))
    with Image.open(BytesIO(stripped(hidden))) as image:
        assert image.info["icc_profile"] == srgb_profile()
    none = png_with((b"iCCP", b"SECRET\x00\x00" + zlib.compress(b"SECRET" * 40)))
    assert b"iCCP" in none
    assert b"iCCP" not in stripped(none)


def test_a_heic_of_many_pictures_is_its_first() -> None:
    """Of several pictures in one file, the one that viewers show leaves; the others do not."""
    images = [picture((64, 64), seed=seed) for seed in (1, 2)]
    data = encoded("HEIF", images[0], save_all=True, append_images=images[1:])
    result = stripped(data)
    assert pixels(result) == pixels(data)
    assert len(result) < len(data) * 0.7


def test_a_chunk_may_be_large() -> None:
    """A text of megabytes is passed over like a short one."""
    assert stripped(png_with((b"tEXt", b"a\x00" + b"SECRET" * 500_000))) == stripped(PNG)
    assert chunk(b"tEXt", b"") not in stripped(PNG)
