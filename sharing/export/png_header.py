"""What a PNG's header says about all that follows it: sizes, colours, palette."""

from sharing.export.unreadable import Unreadable

_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
# (samples a pixel, bits that a sample may have) by the type of colour
_KINDS = {
    _GREY: (1, (1, 2, 4, 8, 16)),
    _COLOUR: (3, (8, 16)),
    _PALETTE: (1, (1, 2, 4, 8)),
    _GREY_ALPHA: (2, (8, 16)),
    _COLOUR_ALPHA: (4, (8, 16)),
}
# Where each pass of an interlaced picture begins and how far it steps: x, y, by x, by y.
_PASSES = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip


class Header:
    """The chunk IHDR; raises Unreadable where it is none."""

    def __init__(self, body: memoryview) -> None:
        if len(body) != 13:
            raise Unreadable("The header of this PNG is malformed.")
        self._width = int.from_bytes(body[:4], "big")
        self._height = int.from_bytes(body[4:8], "big")
        self._depth, self._colour, *ways = body[8:13]
        samples, depths = _KINDS.get(self._colour, (0, ()))
        if self._depth not in depths or ways not in ([0, 0, 0], [0, 0, 1]):
            raise Unreadable("The header of this PNG asks for colours or ways that there are not.")
        if not (0 < self._width < 2**31 and 0 < self._height < 2**31):
            raise Unreadable("This PNG says that it is 0 pixels wide or high.")
        self._bits = samples * self._depth
        self._interlaced = ways[2] == 1
        self._entries = 0  # in the palette

    @property
    def inflated(self) -> int:
        """The bytes of all rows, each with the byte before it that says how it is filtered."""
        if not self._interlaced:
            return self._rows(self._width, self._height)
        return sum(
            self._rows(-(-(self._width - x) // by_x), -(-(self._height - y) // by_y))
            for x, y, by_x, by_y in _PASSES
            if self._width > x and self._height > y
        )

    def _rows(self, width: int, height: int) -> int:
        return height * (1 + (width * self._bits + 7) // 8)

    def takes(self, kind: bytes, body: memoryview) -> bool:
        """Whether palette (PLTE) or transparency (tRNS) belong to a picture of these colours."""
        return self._takes_palette(body) if kind == b"PLTE" else self._takes_transparency(body)

    def _takes_palette(self, body: memoryview) -> bool:
        self._entries, rest = divmod(len(body), 3)
        most = 2**self._depth if self._colour == _PALETTE else 256
        if rest or not 0 < self._entries <= most or self._colour in (_GREY, _GREY_ALPHA):
            raise Unreadable("The palette of this PNG is malformed.")
        return self._colour == _PALETTE  # elsewhere it is a hint for old screens

    def _takes_transparency(self, body: memoryview) -> bool:
        wanted = {_GREY: (2,), _COLOUR: (6,), _PALETTE: range(1, self._entries + 1)}
        if len(body) not in wanted.get(self._colour, ()):
            raise Unreadable("The transparency of this PNG is malformed.")
        return True

    def check_palette(self) -> None:
        """Raises Unreadable where the image data begins and its palette is absent."""
        if self._colour == _PALETTE and not self._entries:
            raise Unreadable("This PNG has no palette where it needs one.")
