"""What a camera and a photo editor write beside a picture: EXIF with a place and a thumbnail, XMP
with a name. The demo's portraits carry it so that there is something to take away."""

import struct
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape

from PIL import ImageCms

_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_LAYOUTS = {_SHORT: "<H", _LONG: "<I"}

Value = str | int | tuple[tuple[int, int], ...]
Entry = tuple[int, int, Value]


@dataclass(frozen=True, slots=True)
class Shot:
    """One press of the button. Latitude and longitude in degrees, north and east positive."""

    make: str
    model: str
    taken_at: datetime
    latitude: float
    longitude: float
    orientation: int
    photographer: str


def exif_block(shot: Shot, thumbnail: bytes) -> bytes:
    """An EXIF block, `Exif\\0\\0` included, with `thumbnail` (a small JPEG) inside."""
    taken = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    main: list[Entry] = [
        (0x010F, _ASCII, shot.make),
        (0x0110, _ASCII, shot.model),
        (0x0112, _SHORT, shot.orientation),
        (0x0132, _ASCII, taken),
        (0x013B, _ASCII, shot.photographer),
    ]
    inner: list[Entry] = [(0x9003, _ASCII, taken), (0x9004, _ASCII, taken)]
    place: list[Entry] = [
        (0x0001, _ASCII, "N" if shot.latitude >= 0 else "S"),
        (0x0002, _RATIONAL, _degrees(shot.latitude)),
        (0x0003, _ASCII, "E" if shot.longitude >= 0 else "W"),
        (0x0004, _RATIONAL, _degrees(shot.longitude)),
    ]
    size = 8 + _length([*main, (_EXIF_IFD, _LONG, 0), (_GPS_IFD, _LONG, 0)])
    inner_at, place_at = size, size + _length(inner)
    second_at = place_at + _length(place)
    main += [(_EXIF_IFD, _LONG, inner_at), (_GPS_IFD, _LONG, place_at)]
    second: list[Entry] = [(0x0103, _SHORT, 6), (0x0201, _LONG, 0), (0x0202, _LONG, len(thumbnail))]
    second[1] = (0x0201, _LONG, second_at + _length(second))
    blocks = (
        _directory(main, 8, second_at),
        _directory(inner, inner_at, 0),
        _directory(place, place_at, 0),
        _directory(second, second_at, 0),
    )
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + b"".join(blocks) + thumbnail


def xmp_packet(shot: Shot, title: str) -> bytes:
    """An XMP packet that names the photographer and says what the photo shows."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:creator><rdf:Seq><rdf:li>{escape(shot.photographer)}</rdf:li></rdf:Seq></dc:creator>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


@cache
def srgb_profile() -> bytes:
    """The sRGB colour profile, dated 2008 so that photos do not depend on the day of drawing."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2008, 1, 1, 0, 0, 0) + profile[36:]


def _degrees(value: float) -> tuple[tuple[int, int], ...]:
    """Degrees, minutes and seconds as fractions, the way GPS tags have them."""
    hundredths = round(abs(value) * 360_000)
    return (
        (hundredths // 360_000, 1),
        (hundredths // 6_000 % 60, 1),
        (hundredths % 6_000, 100),
    )


def _encoded(kind: int, value: Value) -> tuple[int, bytes]:
    """(count, bytes) of a value; ASCII ends with a zero byte."""
    if isinstance(value, str):
        text = value.encode("ascii", "replace") + b"\x00"
        return len(text), text
    if isinstance(value, int):
        return 1, struct.pack(_LAYOUTS[kind], value)
    return len(value), b"".join(struct.pack("<II", *fraction) for fraction in value)


def _length(entries: list[Entry]) -> int:
    """The bytes of a directory and of the values that do not fit into it."""
    outside = (len(_encoded(kind, value)[1]) for _, kind, value in entries)
    return 2 + 12 * len(entries) + 4 + sum(size + size % 2 for size in outside if size > 4)


def _directory(entries: list[Entry], at: int, following: int) -> bytes:
    """A TIFF directory at offset `at`, its larger values behind it."""
    table, values = struct.pack("<H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count, data = _encoded(kind, value)
        if len(data) > 4:
            field = struct.pack("<I", values_at + len(values))
            values += data + bytes(len(data) % 2)
        else:
            field = data.ljust(4, b"\x00")
        table += struct.pack("<HHI", tag, kind, count) + field
    return table + struct.pack("<I", following) + values
