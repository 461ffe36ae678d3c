"""Photos for the tests of the data plane: small JPEGs of every kind that minimise has to know."""

from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from api.demo.camera import srgb_profile
from sharing.export.exif import with_orientation
from sharing.export.index import scan
from sharing.export.source import Candidate

EXIF = (
    b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02"
    b"\x01\x0f\x00\x02\x00\x00\x00\x0c\x00\x00\x00&"
    b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    b"\x00\x00\x00\x00SECRET MAKE\x00"
)
XMP = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>SECRET XMP</x:xmpmeta>"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0c\x1c\x02\x50\x00\x07SECRETI"
JFXX = b"JFXX\x00\x13\x01\x01SEC"


def picture(size: tuple[int, int] = (48, 32), mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture with something in every corner."""
    noise = Image.frombytes("L", (8, 8), Random(seed).randbytes(64))
    bands = [
        noise.rotate(90 * turn).resize(size)
        for turn in range(len(Image.new(mode, (1, 1)).getbands()))
    ]
    return Image.merge(mode, bands)


def jpeg(
    size: tuple[int, int] = (48, 32), mode: str = "RGB", seed: int = 1, **options: Any
) -> bytes:
    """A JPEG as Pillow writes it, without metadata unless `options` say so."""
    out = BytesIO()
    picture(size, mode, seed).save(out, "JPEG", **options)
    return out.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """One marker segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_secrets(data: bytes) -> bytes:
    """The same picture with every kind of metadata, all of it saying SECRET."""
    secrets = (
        segment(0xE1, EXIF)
        + segment(0xE1, XMP)
        + segment(0xED, IPTC)
        + segment(0xE0, JFXX)
        + segment(0xE5, b"SECRET APP5")
        + segment(0xFE, b"SECRET COMMENT")
    )
    return data[:2] + secrets + data[2:] + b"SECRET AFTER THE END"


def coloured_and_turned() -> bytes:
    """A JPEG with a colour profile and orientation 6, which must both stay."""
    data = jpeg(icc_profile=srgb_profile())
    return data[:2] + with_orientation(6) + data[2:]


def pixels(data: bytes) -> tuple[str, bytes]:
    """What an independent decoder sees: mode and pixels."""
    with Image.open(BytesIO(data)) as image:
        return image.mode, image.tobytes()


def dataset(folder: Path, subjects: int = 6, each: int = 2) -> list[Candidate]:
    """A small dataset on disk, `<subject>/<n>.jpg`, all of it allowed; returns its candidates."""
    for number in range(subjects):
        home = folder / f"subject-{number}"
        home.mkdir(parents=True)
        for index in range(each):
            data = with_secrets(jpeg(seed=number * each + index))
            (home / f"{index}.jpg").write_bytes(data)
    return candidates(folder)


def candidates(folder: Path) -> list[Candidate]:
    """Every object of `folder` by `path:{subject}/*`, as candidates."""
    return [
        Candidate(o.path, o.subject, o.bytes, o.modified_ns, o.media_type, position)
        for position, o in enumerate(scan(str(folder), "path:{subject}/*"), 1)
    ]
