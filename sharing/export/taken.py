"""When a photo was taken, as its EXIF says, wherever its format keeps that.

Photos come from anywhere, so nothing here raises: what cannot be read is absent."""

from collections.abc import Callable
from datetime import datetime

from sharing.export import exif, heic_index
from sharing.export.iso_boxes import Box
from sharing.export.jpeg_head import exif_block
from sharing.export.minimise import HEIC, JPEG, PNG, WEBP, format_of
from sharing.export.unreadable import Unreadable

# What reads a part of a photo: (offset, bytes) -> at most so many bytes.
ReadAt = Callable[[int, int], bytes]

_HEAD = 128 * 1024  # a JPEG's EXIF stands in the first segments, each at most 64 KiB
_LONGEST = 1024 * 1024  # bytes of an EXIF block that are looked at
_MOST_PARTS = 100_000  # chunks or boxes before it


def taken_at(read: ReadAt) -> datetime | None:
    """The time of a photo whose parts `read` gives, as UTC; None where it has none."""
    start = read(0, _HEAD)
    try:
        kind = format_of(start)
        block = exif_block(start) if kind == JPEG else _FIND[kind](read)
    except Unreadable:
        return None
    if block[:6] == exif.HEADER:
        block = block[6:]
    return exif.taken_at(block) if block else None


def _in_png(read: ReadAt) -> bytes:
    at = 8
    for _ in range(_MOST_PARTS):
        head = read(at, 8)
        size = int.from_bytes(head[:4], "big")
        if head[4:] == b"eXIf":
            return read(at + 8, min(size, _LONGEST))
        if len(head) < 8 or head[4:] == b"IEND":
            break
        at += 12 + size
    return b""


def _in_webp(read: ReadAt) -> bytes:
    at = 12
    for _ in range(_MOST_PARTS):
        head = read(at, 8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            return read(at + 8, min(size, _LONGEST))
        if len(head) < 8:
            break
        at += 8 + size + size % 2
    return b""


def _in_heic(read: ReadAt) -> bytes:
    at = 0
    for _ in range(_MOST_PARTS):
        head = read(at, 16)
        size, body = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:], "big"), at + 16
        if head[4:8] == b"meta":
            whole = read(body, min(at + size - body, heic_index.LARGEST))
            index = heic_index.read(memoryview(whole), Box(b"meta", 0, len(whole)))
            return _exif_item(read, index)
        if len(head) < 8 or size < 8:
            break
        at += size
    return b""


def _exif_item(read: ReadAt, index: heic_index.Index) -> bytes:
    """The first item that is EXIF; it begins with how many bytes there are before the block."""
    item = next((item for item in index.items.values() if item.kind == b"Exif"), None)
    if item is None:
        return b""
    whole = b"".join(
        bytes(index.inside[start : start + size]) if inside else read(start, min(size, _LONGEST))
        for inside, start, size in item.extents[:16]
    )
    return whole[4 + int.from_bytes(whole[:4], "big") :]


_FIND = {PNG: _in_png, WEBP: _in_webp, HEIC: _in_heic}
