"""A JPEG is a list of segments and scans. What is on the allow-list below is copied byte for byte;
what is not (EXIF, XMP, IPTC, maker notes, comments, thumbnails, bytes after the end marker) is not
there to leak."""

import re

from sharing.export.jpeg_head import Head
from sharing.export.unreadable import MOST_PIECES, Buffer, Piece, Unreadable
from sharing.export.windows import WINDOW, give_back

_SOI = b"\xff\xd8"
_END = b"\xff\xd9"
_EOI, _SOS, _DQT, _LOSSLESS = 0xD9, 0xDA, 0xDB, 0xC3


# What to do with a marker; from _TABLE on it is kept. Plain integers, as it is asked so often.
_MISPLACED, _UNKNOWN, _DROPPED, _APPLICATION, _TABLE, _FRAME, _SCAN = range(7)


def _kind(marker: int) -> int:
    if marker == _SOS:
        return _SCAN
    # Baseline, extended, progressive, lossless and two arithmetic ones: what decoders in use read.
    if marker in (0xC0, 0xC1, 0xC2, _LOSSLESS, 0xC9, 0xCA):
        return _FRAME
    # Huffman and arithmetic tables, quantisation, number of lines, restart interval.
    if marker in (0xC4, 0xCC, _DQT, 0xDC, 0xDD):
        return _TABLE
    if 0xE0 <= marker <= 0xEF:
        return _APPLICATION
    if marker >= 0xF0:  # comments and the markers that nothing uses
        return _DROPPED
    return _MISPLACED if marker < 0xC0 or 0xD0 <= marker <= 0xD9 else _UNKNOWN


_KINDS = bytes(map(_kind, range(256)))
_FILL = re.compile(rb"\xff+")
_LONGEST_FILL = 65_536  # bytes
# Inside a scan 0xFF stands before a stuffed zero, a restart marker or a fill byte; anything else
# ends it. One pass of the regex engine costs 0.3 ns a byte, a loop in Python many times that.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def stripped(data: Buffer) -> list[Piece]:
    """The pieces of the stripped JPEG. Kept: the image itself, colour profile, orientation, and
    the JFIF and Adobe marks that say how colours are coded. Raises Unreadable."""
    if data[:2] != _SOI:
        raise Unreadable("This is not a JPEG: it does not begin with the start marker.")
    walk = _Walk(data) if isinstance(data, bytes) else _MappedWalk(data)
    return walk.pieces()


class _Walk:
    """One pass over the segments of one file."""

    __slots__ = ("data", "end", "frame", "head", "kept", "quantised", "scans")

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.end = len(data)
        self.head = Head()
        self.kept: list[memoryview] = []
        self.frame = 0  # the SOF marker, once seen
        self.quantised = False
        self.scans = 0

    def pieces(self) -> list[Piece]:
        data, view = self.data, memoryview(self.data)
        at = run = 2  # `run` is where the current run of kept bytes began
        while True:
            start = self._marker(at)
            marker = data[start + 1]
            if marker == _EOI:
                break
            kind = _KINDS[marker]
            if kind < _TABLE or start != at:
                if run < at:
                    self.kept.append(view[run:at])
                run = start
                if len(self.kept) > MOST_PIECES:
                    raise Unreadable("This JPEG is in too many pieces.")
            at = self._segment(view, start, marker, kind)
            if kind < _TABLE:
                run = at
        if not self.scans:
            raise Unreadable("This JPEG ends before any image data.")
        if run < at:
            self.kept.append(view[run:at])
        return [_SOI + self.head.cleaned(), *self.kept, _END]

    def _marker(self, at: int) -> int:
        """Where the marker at `at` really begins, which may be after fill bytes."""
        found = self.data[at : at + 2]
        if len(found) == 2 and found[0] != 0xFF:
            raise Unreadable(f"There is garbage between the segments, at byte {at}.")
        if found == b"\xff\xff":
            fill = _FILL.match(self.data, at, at + _LONGEST_FILL)
            at = fill.end() - 1 if fill else at
            if self.data[at + 1 : at + 2] == b"\xff":
                raise Unreadable("This JPEG is padded with more than 64 KiB of nothing.")
        if at + 2 > self.end:
            raise Unreadable("This JPEG is cut off: it has no end marker.")
        return at

    def _segment(self, view: memoryview, start: int, marker: int, kind: int) -> int:
        """Checks the segment at `start`; returns where the next marker should be."""
        if kind in (_MISPLACED, _UNKNOWN):
            raise Unreadable(f"Marker 0x{marker:02X} at byte {start} is none that can stand there.")
        body = start + 4
        end = start + 2 + int.from_bytes(self.data[start + 2 : body], "big")
        if end < body or end > self.end:
            raise Unreadable(f"This JPEG is cut off in the segment at byte {start}.")
        if kind == _APPLICATION:
            if not self.scans:
                self.head.take(marker, view[start:end])
        elif kind == _SCAN:
            return self._scan(view[body:end], end)
        elif kind == _FRAME:
            self._frame(marker, view[body:end])
        elif marker == _DQT:
            self.quantised = True
        return end

    def _frame(self, marker: int, body: memoryview) -> None:
        if self.frame:
            raise Unreadable("This JPEG has two frame headers.")
        components = body[5] if len(body) > 5 else 0
        if not 1 <= components <= 4 or len(body) != 6 + 3 * components:
            raise Unreadable("The frame header of this JPEG is malformed.")
        if not any(body[1:3]) or not any(body[3:5]):
            raise Unreadable("This JPEG says that it is 0 pixels wide or high.")
        self.frame = marker

    def _scan(self, body: memoryview, start: int) -> int:
        if not self.frame or not (self.quantised or self.frame == _LOSSLESS):
            raise Unreadable("This JPEG's image data comes before its frame header or its tables.")
        if not len(body) or not 1 <= body[0] <= 4 or len(body) != 4 + 2 * body[0]:
            raise Unreadable("The scan header of this JPEG is malformed.")
        end = self._scan_end(start)
        if end == start:
            raise Unreadable("This JPEG has an empty scan.")
        self.scans += 1
        return end

    def _scan_end(self, start: int) -> int:
        """Where the image data that begins at `start` ends."""
        stop = self.end if isinstance(self.data, bytes) else start + WINDOW
        while (found := _SCAN_END.search(self.data, start, stop)) is None:
            if stop >= self.end:
                raise Unreadable("This JPEG is cut off in its image data: it has no end marker.")
            give_back(self.data)
            start, stop = stop - 1, stop + WINDOW  # the marker may begin at the window's last byte
        return found.start()


class _MappedWalk(_Walk):
    """The same over an object that is too large to be in memory."""

    __slots__ = ()

    def _segment(self, view: memoryview, start: int, marker: int, kind: int) -> int:
        end = super()._segment(view, start, marker, kind)
        give_back(self.data)
        return end
