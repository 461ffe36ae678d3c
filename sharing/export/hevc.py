"""HEVC images (ISO/IEC 23008-2): the units that a picture is decoded from, and no messages.

Encoders may write text between them (supplemental enhancement information): that is dropped."""

from collections.abc import Iterator

from sharing.export.iso_boxes import Fields
from sharing.export.unreadable import Buffer, Unreadable
from sharing.export.windows import WINDOW, give_back

_SETS = (32, 33, 34)  # video, sequence and picture parameters
_SLICES = range(16, 22)  # of pictures that need no other picture: a photo has no other kind


def configuration(body: memoryview) -> bytes:
    """The property `hvcC` with nothing but parameter sets in it."""
    fields = Fields(body)
    head = bytes(fields.bytes(22))
    if head[0] != 1:
        raise Unreadable("The image in this HEIC is coded in an unknown version of HEVC.")
    arrays = [_array(fields) for _ in range(fields.number(1))]
    if fields.left:
        raise Unreadable("The description of the image in this HEIC is malformed.")
    kept = [array for array in arrays if array]
    return head + bytes((len(kept),)) + b"".join(kept)


def _array(fields: Fields) -> bytes:
    kind, count = fields.number(1), fields.number(2)
    units = []
    for _ in range(count):
        size = fields.number(2)
        unit = bytes(fields.bytes(size))
        if size < 2 or unit[0] >> 1 & 63 != kind & 63:
            raise Unreadable("The description of the image in this HEIC is malformed.")
        units.append(size.to_bytes(2, "big") + unit)
    if kind & 63 not in _SETS:
        return b""
    return bytes((kind & 0xBF,)) + count.to_bytes(2, "big") + b"".join(units)


def pictures(
    data: Buffer, view: memoryview, start: int, end: int, prefix: int
) -> Iterator[tuple[int, int]]:
    """Where the parts of the image lie that are picture: (start, end) of runs of units, each unit
    behind its length in `prefix` bytes. Raises Unreadable unless units fill it exactly."""
    at = run = released = start
    slices = 0
    while at < end:
        unit = at + prefix
        following = unit + int.from_bytes(view[at:unit], "big")
        if following < unit + 2 or following > end:
            raise Unreadable("The image in this HEIC is damaged or cut off.")
        kind, layer = view[unit] >> 1 & 63, (view[unit] & 1) << 5 | view[unit + 1] >> 3
        # Units of a second layer (another eye, say) are not of this picture.
        if layer or (kind not in _SLICES and kind not in _SETS):
            if run < at:
                yield run, at
            run = following
        slices += kind in _SLICES and not layer
        at = following
        if at - released > WINDOW:
            give_back(data)
            released = at
    if not slices:
        raise Unreadable("There is no picture in an image of this HEIC.")
    if run < at:
        yield run, at
