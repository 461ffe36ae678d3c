"""Two facts out of an EXIF block: which way up the photo is, and when it was taken.

Photos come from anywhere, so nothing here raises: what cannot be read is absent. A reader of our
own because the orientation is needed for every object on the hot path, from bytes in memory."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

HEADER = b"Exif\x00\x00"

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_ASCII, _SHORT, _LONG = 2, 3, 4
_MOST_ENTRIES = 1024  # a broken count must not make us walk 65,535 entries for each photo

Block = bytes | memoryview


def orientation(tiff: Block) -> int:
    """1 to 8 as in tag 0x0112 of the first directory; 1 (upright) where absent or broken.

    `tiff` is the APP1 payload after `Exif\\0\\0`.
    """
    try:
        order, first = _start(tiff)
        for tag, kind, _, at in _entries(tiff, order, first):
            if tag == _ORIENTATION:
                value = _integer(tiff, order, kind, at)
                return value if 1 <= value <= 8 else 1
    except (struct.error, IndexError, ValueError):
        pass
    return 1


def taken_at(tiff: Block) -> datetime | None:
    """DateTimeOriginal taken as UTC (cameras write no zone), or None where absent or broken."""
    try:
        order, first = _start(tiff)
        for tag, kind, _, at in _entries(tiff, order, first):
            if tag == _EXIF_IFD:
                return _date(tiff, order, _integer(tiff, order, kind, at))
    except (struct.error, IndexError, ValueError):
        pass
    return None


def only_orientation(value: int) -> bytes:
    """An EXIF block (without `Exif\0\0`) whose only tag is the orientation `value`, 2 to 8."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, value, 0)
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def with_orientation(value: int) -> bytes:
    """A whole APP1 segment whose only tag is the orientation `value`, 2 to 8."""
    payload = HEADER + only_orientation(value)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(payload)) + payload


def _start(tiff: Block) -> tuple[str, int]:
    mark = bytes(tiff[:4])
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(mark)
    if order is None:
        raise ValueError(mark)
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    return order, first


def _entries(tiff: Block, order: str, directory: int) -> Iterator[tuple[int, int, int, int]]:
    """(tag, type, count, offset of the value field) of each entry of one directory."""
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    layout = order + "HHI"
    for index in range(min(count, _MOST_ENTRIES)):
        at = directory + 2 + 12 * index
        tag, kind, number = struct.unpack_from(layout, tiff, at)
        yield tag, kind, number, at + 8


def _integer(tiff: Block, order: str, kind: int, at: int) -> int:
    if kind not in (_SHORT, _LONG):
        raise ValueError(kind)
    (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), tiff, at)
    return int(value)


def _date(tiff: Block, order: str, directory: int) -> datetime | None:
    for tag, kind, count, at in _entries(tiff, order, directory):
        if tag == _DATE_TIME_ORIGINAL and kind == _ASCII and 19 <= count <= 32:
            (offset,) = struct.unpack_from(order + "I", tiff, at)
            text = bytes(tiff[offset : offset + 19]).decode("ascii")
            return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    return None
