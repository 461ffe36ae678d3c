"""PNG, WebP and HEIC photos for tests, with every place that can carry a text saying SECRET."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

from api.demo.camera import srgb_profile
from sharing.export import heic_index
from sharing.export.iso_boxes import boxes, versioned, written
from tests.sharing.export.photos import EXIF, picture

pillow_heif.register_heif_opener(thumbnails=False)

TIFF = EXIF[6:]  # says SECRET, and orientation 6
DATED = Image.Exif()
DATED[0x010F] = "SECRET MAKE"
DATED[0x0112] = 6
DATED.get_ifd(0x8769)[0x9003] = "2012:05:04 03:02:01"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRET XMP</x:xmpmeta>"


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """A photo as Pillow, libwebp or libheif write it."""
    out = BytesIO()
    (image or picture((64, 64))).save(out, kind, **options)
    return out.getvalue()


# PNG


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its check sum."""
    check_sum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check_sum


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(type, body) of each chunk."""
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def png_of(parts: list[tuple[bytes, bytes]]) -> bytes:
    """The file of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def spoiled_png(data: bytes) -> bytes:
    """The same PNG with everything in it that is not picture."""
    header, *image = chunks(data)
    before = [
        (b"iCCP", b"SECRET NAME\x00\x00" + zlib.compress(srgb_profile())),
        (b"tEXt", b"SECRET\x00SECRET"),
        (b"zTXt", b"SECRET\x00\x00" + zlib.compress(b"SECRET")),
        (b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + XMP),
        (b"tEXt", b"Raw profile type exif\x00SECRET"),
        (b"eXIf", TIFF),
        (b"tIME", b"\x07\xdc\x05\x04\x03\x02\x01"),
        (b"pCAL", b"SECRET\x00" + bytes(8) + b"\x00\x02m\x000\x001"),
        (b"sPLT", b"SECRET\x00\x08SECRET" + bytes(4)),
        (b"prVt", b"SECRET PRIVATE"),
        (b"dSIG", b"SECRET"),
        (b"pHYs", b"\x00\x00\x0b\x13\x00\x00\x0b\x13\x01"),
    ]
    after = [(b"tEXt", b"Comment\x00SECRET LAST"), (b"prVt", b"SECRET")]
    whole = [header, *before, *image[:-1], *after, image[-1]]
    return png_of(whole) + b"SECRET AFTER THE END" + data


# WebP


def riff(*parts: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    body = b"".join(
        kind + len(part).to_bytes(4, "little") + part + bytes(len(part) % 2) for kind, part in parts
    )
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body


def riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(type, body) of each chunk."""
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def spoiled_webp(data: bytes) -> bytes:
    """The same WebP with everything in it that is not picture."""
    parts = dict(riff_chunks(data))
    with Image.open(BytesIO(data)) as image:
        width, height = image.size
        flags = 0x2C | (0x10 if image.mode == "RGBA" else 0)
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    pictures = [(kind, parts[kind]) for kind in (b"ALPH", b"VP8 ", b"VP8L") if kind in parts]
    whole = riff(
        (b"VP8X", bytes((flags,)) + b"SEC" + canvas),
        (b"ICCP", srgb_profile() + b"SECRET"),
        (b"SECR", b"SECRET ODD"),
        *pictures,
        (b"EXIF", TIFF),
        (b"XMP ", XMP),
        (b"SECR", b"SECRET"),
    )
    return whole + b"SECRET AFTER THE END"


# HEIC

# A prefix message with user data: type 5, 26 bytes, of which 16 say whose.
MESSAGE = b"\x4e\x01\x05\x1aSECRET OF NOBODYSECRET SEI\x80"


@dataclass
class Planted:
    """One item of a HEIC file."""

    kind: bytes
    data: bytes
    properties: list[bytes] = field(default_factory=list)
    name: bytes = b"SECRET NAME"
    inside: bool = False  # of `idat`
    hidden: bool = False


def coded(image: Image.Image, quality: int = 70) -> tuple[bytes, bytes]:
    """(the body of `hvcC`, the item's bytes) of an image as x265 codes it."""
    data = encoded("HEIF", image, quality=quality)
    view = memoryview(data)
    top = {box.kind: box for box in boxes(view, 0, len(data))}
    index = heic_index.read(view, top[b"meta"])
    item = index.item(index.primary)
    hvcc = next(
        bytes(index.properties[place][1])
        for place, _ in item.properties
        if index.properties[place][0] == b"hvcC"
    )
    [(_, start, size)] = item.extents
    return hvcc, data[start : start + size]


def with_messages(hvcc: bytes, data: bytes) -> tuple[bytes, bytes]:
    """The same image with messages in its description, and before and behind its slices."""
    array = b"\x27\x00\x01" + len(MESSAGE).to_bytes(2, "big") + MESSAGE
    message = len(MESSAGE).to_bytes(4, "big") + MESSAGE
    return hvcc[:22] + bytes((hvcc[22] + 1,)) + hvcc[23:] + array, message + data + message


def heic(
    items: list[Planted], references: list[tuple[bytes, int, list[int]]], primary: int = 1
) -> bytes:
    """A HEIC file of these items, numbered from 1, with every box that can hide something."""
    spaced = b"SECRET BETWEEN"
    different = list(dict.fromkeys(box for item in items for box in item.properties))
    inside = b"SECRET" + b"".join(item.data for item in items if item.inside)
    ftyp = written(b"ftyp", b"heicSECRmif1heicSECR")
    head = ftyp + written(b"free", b"SECRET") + written(b"uuid", b"SECRET".ljust(30))

    def meta(begin: int) -> bytes:
        rows, at, place = [], begin, 6
        for number, item in enumerate(items, 1):
            start = place if item.inside else at
            rows.append(
                two(number) + two(int(item.inside)) + two(0) + two(1)
                + start.to_bytes(4, "big") + len(item.data).to_bytes(4, "big")
            )  # fmt: skip
            if item.inside:
                place += len(item.data)
            else:
                at += len(item.data) + len(spaced)
        more = {b"mime": b"application/rdf+xml\x00SECRET\x00", b"uri ": b"urn:SECRET\x00"}
        names = [
            versioned(
                b"infe", 2, int(item.hidden), two(number), two(0), item.kind, item.name, b"\x00",
                more.get(item.kind, b""),
            )
            for number, item in enumerate(items, 1)
        ]  # fmt: skip
        refs = [
            written(kind, two(source), two(len(to)), *map(two, to))
            for kind, source, to in references
        ]
        ties = [
            two(number)
            + bytes((len(item.properties),))
            + bytes(different.index(box) + 1 for box in item.properties)
            for number, item in enumerate(items, 1)
        ]
        ipma = versioned(b"ipma", 0, 0, len(items).to_bytes(4, "big"), *ties)
        return versioned(
            b"meta", 0, 0,
            versioned(b"hdlr", 0, 0, bytes(4), b"pict", bytes(12), b"SECRET HANDLER\x00"),
            written(b"dinf", versioned(b"dref", 0, 0, bytes(4))),
            versioned(b"pitm", 0, 0, two(primary)),
            versioned(b"iloc", 1, 0, b"\x44\x00", two(len(items)), *rows),
            versioned(b"iinf", 0, 0, two(len(items)), *names),
            versioned(b"iref", 0, 0, *refs),
            written(b"iprp", written(b"ipco", *different), ipma),
            written(b"grpl", versioned(b"altr", 0, 0, bytes(4), b"\x00\x00\x00\x01", b"SECR")),
            written(b"udta", b"SECRET"),
            written(b"idat", inside),
        )  # fmt: skip

    media = b"".join(item.data + spaced for item in items if not item.inside)
    begin = len(head) + len(meta(0)) + 8
    end = written(b"skip", b"SECRET") + written(b"mpvd", b"SECRET VIDEO") + b"SECRET AFTER THE END"
    return head + meta(begin) + written(b"mdat", media) + end


def two(number: int) -> bytes:
    """A number as two bytes."""
    return number.to_bytes(2, "big")


def sized(width: int, height: int) -> bytes:
    """The property that says an image's size."""
    return versioned(b"ispe", 0, 0, width.to_bytes(4, "big"), height.to_bytes(4, "big"))


SECRETS = [
    versioned(b"udes", 0, 0, b"en\x00SECRET\x00SECRET\x00SECRET\x00"),
    written(b"uuid", b"SECRET PROPERTY.".ljust(24)),
    versioned(b"altt", 0, 0, b"SECRET\x00en\x00"),
]
ALPHA = versioned(b"auxC", 0, 0, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\x00")
DEPTH = versioned(b"auxC", 0, 0, b"urn:mpeg:hevc:2015:auxid:2\x00")
GAINS = versioned(b"auxC", 0, 0, b"urn:com:apple:photo:2020:aux:hdrgainmap\x00SECRET")


def spoiled_heic(*, alpha: bool = True, tiled: bool = True) -> bytes:
    """A HEIC as telephones write it: tiles, transparency, depth and gain map, thumbnail, EXIF."""
    tiles = [
        with_messages(*coded(picture((64, 64), seed=seed))) for seed in range(4 if tiled else 1)
    ]
    colour = written(b"colr", b"prof", srgb_profile() + b"SECRET")
    turned = [written(b"irot", b"\x03"), written(b"imir", b"\x01")]
    side = 128 if tiled else 64
    grid = b"\x00\x00\x01\x01" + two(side) + two(side)
    about = [sized(side, side), colour, versioned(b"pixi", 0, 0, b"\x03\x08\x08\x08"), *SECRETS]
    images = [
        Planted(b"hvc1", data, [written(b"hvcC", hvcc), sized(64, 64)], hidden=True)
        for hvcc, data in tiles
    ]
    if not tiled:
        images[0] = Planted(b"hvc1", images[0].data, [*images[0].properties[:1], *about, *turned])
    items = [Planted(b"grid", grid, [*about, *turned], inside=True)] if tiled else []
    items += images
    references = [(b"dimg", 1, [2, 3, 4, 5])] if tiled else []
    seen, (hvcc, mask) = side // 2, coded(picture((side, side), "L", seed=9))
    for mark in [DEPTH, GAINS, *([ALPHA] if alpha else [])]:
        items.append(Planted(b"hvc1", mask, [written(b"hvcC", hvcc), sized(side, side), mark]))
        references.append((b"auxl", len(items), [1]))
    hvcc, small = with_messages(*coded(picture((seen, seen), seed=11)))
    items.append(Planted(b"hvc1", small, [written(b"hvcC", hvcc), sized(seen, seen)]))
    references.append((b"thmb", len(items), [1]))
    for kind, data in (
        (b"Exif", b"\x00\x00\x00\x06Exif\x00\x00" + DATED.tobytes().removeprefix(b"Exif\x00\x00")),
        (b"mime", XMP),
        (b"uri ", b"SECRET"),
    ):
        items.append(Planted(kind, data))
        references.append((b"cdsc", len(items), [1]))
    return heic(items, references)


SPOILED: dict[str, Callable[[], bytes]] = {
    "png": lambda: spoiled_png(encoded("PNG")),
    "png, transparent": lambda: spoiled_png(encoded("PNG", picture((64, 64), "RGBA"))),
    "png, grey": lambda: spoiled_png(encoded("PNG", picture((64, 64), "L"))),
    "png, palette": lambda: spoiled_png(encoded("PNG", picture((64, 64)).quantize(16))),
    "webp": lambda: spoiled_webp(encoded("WEBP")),
    "webp, lossless": lambda: spoiled_webp(encoded("WEBP", lossless=True)),
    "webp, transparent": lambda: spoiled_webp(encoded("WEBP", picture((64, 64), "RGBA"))),
    "heic": lambda: spoiled_heic(alpha=False, tiled=False),
    "heic, tiled": lambda: spoiled_heic(alpha=False),
    "heic, transparent": lambda: spoiled_heic(),
}


def flips(data: bytes) -> Iterator[bytes]:
    """The file with each of its bits turned over, one at a time; but for the colour profile."""
    profile = data.find(srgb_profile())
    inside = range(profile + 132, profile + len(srgb_profile())) if profile > 0 else range(0)
    for at in range(len(data)):
        if at in inside:
            continue
        for bit in range(8):
            spoiled = bytearray(data)
            spoiled[at] ^= 1 << bit
            yield bytes(spoiled)
