"""A WebP is a RIFF file of chunks. The image, its transparency and its colour profile are kept and
everything else is made anew: what else a file carries (EXIF, XMP, unknown chunks, reserved bits,
bytes after the end) is not there to leak."""

import struct

from sharing.export import exif, icc
from sharing.export.unreadable import Buffer, Piece, Unreadable
from sharing.export.windows import give_back

_LARGEST = 2**32 - 10  # bytes after the eight that say so
_ALPHA, _PROFILE, _EXIF = 0x10, 0x20, 0x08
_KEY_FRAME = b"\x9d\x01\x2a"
_ANIMATION = frozenset((b"ANIM", b"ANMF"))


def stripped(data: Buffer) -> list[Piece]:
    """The pieces of the stripped WebP. Raises Unreadable."""
    return _Walk(data).pieces()


class _Walk:
    """One pass over the chunks of one file."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.view = memoryview(data)
        self.end = 8 + int.from_bytes(data[4:8], "little")
        self.canvas: memoryview | None = None  # VP8X: the file has more than an image
        self.profile: memoryview | None = None
        self.alpha: memoryview | None = None
        self.image: memoryview | None = None
        self.kind = b""
        self.orientation = 0

    def pieces(self) -> list[Piece]:
        if self.data[:4] != b"RIFF" or self.data[8:12] != b"WEBP":
            raise Unreadable("This is not a WebP: it does not begin like one.")
        if self.end > len(self.view) or self.end % 2 or self.end > _LARGEST:
            raise Unreadable("This WebP is cut off: it says that it is longer than it is.")
        at = 12
        while at < self.end:
            at = self._chunk(at)
        if self.image is None:
            raise Unreadable("There is no image in this WebP.")
        self._check_sizes(self.image)
        return self._written(self.image)

    def _chunk(self, at: int) -> int:
        """Looks at the chunk at `at`; returns where the next one begins."""
        kind = bytes(self.view[at : at + 4])
        body, size = at + 8, int.from_bytes(self.view[at + 4 : at + 8], "little")
        end = body + size + size % 2
        if end > self.end or body > self.end:
            raise Unreadable(f"This WebP is cut off in the chunk at byte {at}.")
        if size % 2 and self.view[end - 1]:
            raise Unreadable(f"The chunk at byte {at} is padded with something.")
        if at == 12 and kind not in (b"VP8 ", b"VP8L", b"VP8X"):
            raise Unreadable("This WebP begins with neither an image nor an extended header.")
        self._take(kind, self.view[body : body + size], at)
        give_back(self.data)
        return end

    def _take(self, kind: bytes, body: memoryview, at: int) -> None:
        if kind == b"VP8X":
            self._extended(body, at)
        elif kind in (b"VP8 ", b"VP8L"):
            if self.image is not None:
                raise Unreadable("This WebP has two images.")
            self.kind, self.image = kind, body
        elif kind in _ANIMATION:
            raise Unreadable("This WebP is animated, and an animation is no photo.")
        elif self.canvas is None:
            pass  # in a file without VP8X nothing but its image means anything
        elif kind == b"ALPH":
            self._transparency(body)
        elif kind == b"ICCP":
            if self.image is None and self.profile is None:
                self.profile = body[: icc.own_length(body)]
        elif kind == b"EXIF":
            self.orientation = self.orientation or _orientation(body)

    def _extended(self, body: memoryview, at: int) -> None:
        if at != 12 or len(body) != 10:
            raise Unreadable("The extended header of this WebP is malformed.")
        if body[0] & 0x02:
            raise Unreadable("This WebP is animated, and an animation is no photo.")
        self.canvas = body

    def _transparency(self, body: memoryview) -> None:
        if self.alpha is not None or self.image is not None or not len(body):
            raise Unreadable("The transparency of this WebP is not where it should be.")
        if body[0] & 0xC3 > 1:
            raise Unreadable("The transparency of this WebP is coded in no known way.")
        self.alpha = body

    def _check_sizes(self, image: memoryview) -> None:
        """The image's own header must be whole, and agree with what is said about it."""
        width, height = _lossy(image) if self.kind == b"VP8 " else _lossless(image)
        if self.canvas is not None and self.canvas[4:] != _canvas(width, height):
            raise Unreadable("This WebP is of another size than its header says.")
        if self.alpha is not None:
            if self.kind == b"VP8L":
                raise Unreadable("This WebP says twice how transparent it is.")
            if not self.alpha[0] & 3 and len(self.alpha) != 1 + width * height:
                raise Unreadable("The transparency of this WebP is of another size than its image.")

    def _written(self, image: memoryview) -> list[Piece]:
        pieces = [*_chunk(self.kind, image)]
        if self.canvas is not None:
            flags = self.canvas[0] & _ALPHA
            if self.alpha is not None:
                flags |= _ALPHA
                pieces[:0] = _chunk(b"ALPH", self.alpha)
            if self.profile:
                flags |= _PROFILE
                pieces[:0] = _chunk(b"ICCP", self.profile)
            if self.orientation > 1:
                flags |= _EXIF
                pieces += _chunk(b"EXIF", exif.only_orientation(self.orientation))
            pieces[:0] = _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + bytes(self.canvas[4:]))
        size = 4 + sum(map(len, pieces))
        return [b"RIFF" + struct.pack("<I", size) + b"WEBP", *pieces]


def _lossy(image: memoryview) -> tuple[int, int]:
    """(width, height) of a VP8 key frame; raises Unreadable for what is none."""
    tag = int.from_bytes(image[:3], "little")
    version, shown, first_part = tag >> 1 & 7, tag >> 4 & 1, tag >> 5
    if len(image) < 10 or image[3:6] != _KEY_FRAME or tag & 1 or version > 3 or not shown:
        raise Unreadable("The image in this WebP does not begin like one.")
    if first_part > len(image) - 10:
        raise Unreadable("This WebP is cut off in its image.")
    width, height = struct.unpack_from("<HH", image, 6)
    return _not_empty(width & 0x3FFF, height & 0x3FFF)


def _lossless(image: memoryview) -> tuple[int, int]:
    """(width, height) of a VP8L image; raises Unreadable for what is none."""
    bits = int.from_bytes(image[1:5], "little")
    if len(image) < 6 or image[0] != 0x2F or bits >> 29:
        raise Unreadable("The image in this WebP does not begin like one.")
    return _not_empty(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))


def _not_empty(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise Unreadable("This WebP says that it is 0 pixels wide or high.")
    return width, height


def _canvas(width: int, height: int) -> bytes:
    return (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _orientation(body: memoryview) -> int:
    """By the specification the block begins at once; some write the header of a JPEG's first."""
    return exif.orientation(body[6:] if body[:6] == exif.HEADER else body)


def _chunk(kind: bytes, body: Piece) -> list[Piece]:
    head = kind + struct.pack("<I", len(body))
    return [head, body, b"\x00"] if len(body) % 2 else [head, body]
