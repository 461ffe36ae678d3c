"""A PNG is a list of chunks. The image's own and those that say how its colours are meant are kept;
texts, times, EXIF, private chunks and bytes after the end are not there to leak.

The image data is inflated, though never turned into pixels: so it is known to be whole, and to
hide nothing behind the last row."""

import zlib

from sharing.export import exif, icc
from sharing.export.png_header import Header
from sharing.export.unreadable import Buffer, Piece, Unreadable
from sharing.export.windows import windows

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_AFTER_HEADER = 33  # the signature, and a chunk of 13 bytes
_LONGEST = 2**31 - 1  # bytes in a chunk
_FEED = 16_384  # compressed bytes at a time: they cannot grow to more than 17 MB
# How colours and edges are meant, in numbers only, and how long each may be.
_COLOURS = {
    b"cHRM": (32,),
    b"cICP": (4,),
    b"cLLI": (8,),
    b"gAMA": (4,),
    b"mDCV": (24,),
    b"pHYs": (9,),
    b"sBIT": (1, 2, 3, 4),
    b"sRGB": (1,),
}
_ANIMATION = frozenset((b"acTL", b"fcTL", b"fdAT"))
_PROFILE_NAME = b"ICC Profile\x00\x00"  # then, 0, the way that it is compressed


def stripped(data: Buffer) -> list[Piece]:
    """The pieces of the stripped PNG. Kept: the image itself with its palette and transparency,
    colour profile, orientation, the density of its dots. Raises Unreadable."""
    return _Walk(data).pieces()


class _Walk:
    """One pass over the chunks of one file."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.view = memoryview(data)
        self.header: Header | None = None
        self.rows: _Rows | None = None
        self.orientation = 0
        self.kept: list[Piece] = []
        self.run = (0, 0)  # where the run of kept chunks that was found last begins and ends
        self.seen: set[bytes] = set()
        self.before = b""  # the type of the chunk before

    def pieces(self) -> list[Piece]:
        if self.data[:8] != SIGNATURE:
            raise Unreadable("This is not a PNG: it does not begin with the signature.")
        at = 8
        while self.before != b"IEND":
            at = self._chunk(at)
        if self.rows is None or not self.rows.whole:
            raise Unreadable("This PNG ends before its image data does.")
        self._end_run()
        first = self.view[:_AFTER_HEADER]  # the signature and the header
        turned = [] if self.orientation < 2 else [_oriented(self.orientation)]
        return [first, *turned, *self.kept]

    def _chunk(self, at: int) -> int:
        """Looks at the chunk at `at`; returns where the next one begins."""
        head = self.data[at : at + 8]
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + length
        if len(head) < 8 or end > len(self.view):
            raise Unreadable(f"This PNG is cut off in the chunk at byte {at}.")
        if length > _LONGEST or not kind.isalpha():
            raise Unreadable(f"There is no chunk where one should be, at byte {at}.")
        if (self.header is None) != (kind == b"IHDR"):
            raise Unreadable("This PNG does not begin with its one header.")
        if kind == b"IDAT":
            self._image_data()
        self._check_sum(at, end, kind)
        if self._keeps(kind, self.view[at + 8 : end - 4]):
            if self.run[1] != at:
                self._end_run()
                self.run = (at, at)
            self.run = (self.run[0], end)
        self.before = kind
        return end

    def _end_run(self) -> None:
        start, end = self.run
        if start < end:
            self.kept.append(self.view[start:end])
        self.run = (end, end)

    def _image_data(self) -> None:
        if self.rows is None and self.header is not None:
            self.header.check_palette()
            self.rows = _Rows(self.header.inflated)
        elif self.before != b"IDAT":
            raise Unreadable("The image data of this PNG is in two places.")

    def _check_sum(self, at: int, end: int, kind: bytes) -> None:
        found = zlib.crc32(kind)
        for part in windows(self.data, at + 8, end - 4):
            found = zlib.crc32(part, found)
            if kind == b"IDAT" and self.rows is not None:
                self.rows.feed(part)
        if self.data[end - 4 : end] != found.to_bytes(4, "big"):
            raise Unreadable(f"The check sum of the chunk at byte {at} is wrong.")

    def _keeps(self, kind: bytes, body: memoryview) -> bool:
        """Whether a chunk stays as it is."""
        if kind == b"IHDR":
            self.header = Header(body)
            return False  # it is written first, whatever follows
        if kind == b"IEND":
            if len(body):
                raise Unreadable("The end of this PNG is malformed.")
        elif kind in _COLOURS:
            self._once(kind)
            if len(body) not in _COLOURS[kind]:
                raise Unreadable(f"The chunk {kind.decode()} of this PNG is malformed.")
        elif kind in (b"PLTE", b"tRNS"):
            self._once(kind)
            return self.header is not None and self.header.takes(kind, body)
        elif kind != b"IDAT":
            self._other(kind, body)
            return False
        return True

    def _once(self, kind: bytes) -> None:
        if kind in self.seen or self.rows is not None:
            why = "is there twice" if kind in self.seen else "comes after the image data"
            raise Unreadable(f"The chunk {kind.decode()} of this PNG {why}.")
        self.seen.add(kind)

    def _other(self, kind: bytes, body: memoryview) -> None:
        """Colour profile and orientation are made anew; the rest is dropped, where it may be."""
        if kind == b"iCCP":
            self._once(kind)
            self._end_run()
            self.kept += _profile(body)
        elif kind == b"eXIf":
            self.orientation = self.orientation or exif.orientation(body)
        elif kind in _ANIMATION:
            raise Unreadable("This PNG is animated, and an animation is no photo.")
        elif kind[:1].isupper():
            raise Unreadable(f"This PNG cannot be read without its chunk {kind.decode()}.")


class _Rows:
    """The compressed image data, as far as it can be looked at without looking at a pixel."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._inflater = zlib.decompressobj()

    @property
    def whole(self) -> bool:
        return self._inflater.eof and not self._left

    def feed(self, part: memoryview) -> None:
        """Takes the next bytes of the image data."""
        for at in range(0, len(part), _FEED):
            try:
                self._left -= len(self._inflater.decompress(part[at : at + _FEED]))
            except zlib.error:
                raise Unreadable("The image data of this PNG is damaged.") from None
            if self._left < 0 or self._inflater.unused_data:
                raise Unreadable("There is more in this PNG than its picture.")


def _profile(body: memoryview) -> list[Piece]:
    """The chunk iCCP without its name, which is free text; nothing where there is no profile."""
    start = bytes(body[:81]).find(b"\x00") + 2
    if start < 3 or len(body) > icc.LARGEST or bytes(body[start - 1 : start]) != b"\x00":
        return []
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(body[start:], icc.LARGEST + 1)
    except zlib.error:
        return []
    size = icc.own_length(profile)
    if not size:
        return []
    if inflater.eof and not inflater.unused_data and size == len(profile):
        return [_chunk(b"iCCP", _PROFILE_NAME + bytes(body[start:]))]
    # Not compressed: the same bytes whichever version of zlib is at work.
    return [_chunk(b"iCCP", _PROFILE_NAME + zlib.compress(profile[:size], 0))]


def _oriented(orientation: int) -> bytes:
    return _chunk(b"eXIf", exif.only_orientation(orientation))


def _chunk(kind: bytes, body: bytes) -> bytes:
    check_sum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check_sum
