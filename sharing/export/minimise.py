"""Takes a photo and leaves the picture: every pixel as it was, and nothing about the person.

A JPEG is a list of segments and scans. What is on the allow-list below is copied byte for byte;
what is not (EXIF, XMP, IPTC, maker notes, comments, thumbnails, bytes after the end marker) is not
there to leak. Pixels are never decoded, so they cannot change."""

import re

from sharing.export.jpeg_head import Head

JPEG = "image/jpeg"

_SOI = b"\xff\xd8"
_EOI, _SOS = 0xD9, 0xDA
_DHT, _DAC, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD
# Baseline, extended, progressive, lossless, and their arithmetic twins: what decoders in use read.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA))
_TABLES = frozenset((_DHT, _DAC, _DQT, _DNL, _DRI))
# Inside a scan 0xFF stands before a stuffed zero, a restart marker or a fill byte; anything else
# ends it. One pass of the regex engine costs 0.3 ns a byte, a loop in Python many times that.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Unreadable(Exception):
    """This object cannot be exported; `detail` is a sentence that says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def minimise(data: bytes, media_type: str) -> list[bytes | memoryview]:
    """The pieces of the stripped photo, in order; joined, they are the file to deliver.

    Kept: the image itself, colour profile, orientation, and the JFIF and Adobe marks that say
    how colours are coded. Raises Unreadable for anything but a structurally whole JPEG.
    """
    if media_type != JPEG:
        raise Unreadable(
            f"{media_type} cannot be stripped without touching its pixels yet: only {JPEG} can."
        )
    if data[:2] != _SOI:
        raise Unreadable("This is not a JPEG: it does not begin with the start marker.")
    return _Walk(data).pieces()


class _Walk:
    """One pass over the segments of one file."""

    __slots__ = ("data", "end", "frame", "head", "kept", "quantised", "scans")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = len(data)
        self.head = Head()
        self.kept: list[memoryview] = []
        self.frame = 0  # the SOF marker, once seen
        self.quantised = False
        self.scans = 0

    def pieces(self) -> list[bytes | memoryview]:
        view = memoryview(self.data)
        at, run = 2, -1  # `run` is where the current run of kept bytes began, -1 outside one
        while True:
            start, marker = self._marker(at)
            keeps = marker in _TABLES or marker in _FRAMES or marker in (_SOS, _EOI)
            if run >= 0 and (not keeps or start != at):
                self.kept.append(view[run:at])
                run = -1
            if run < 0 and keeps:
                run = start
            if marker == _EOI:
                self.kept.append(view[run : start + 2])
                break
            at = self._segment(view, start, marker)
        if not self.scans:
            raise Unreadable("This JPEG ends before any image data.")
        return [_SOI + self.head.cleaned(), *self.kept]

    def _marker(self, at: int) -> tuple[int, int]:
        """Where the marker at `at` begins, after fill bytes, and which it is."""
        data, end = self.data, self.end
        if at < end and data[at] != 0xFF:
            raise Unreadable(f"There is garbage between the segments, at byte {at}.")
        while at + 1 < end and data[at + 1] == 0xFF:
            at += 1
        if at + 1 >= end:
            raise Unreadable("This JPEG is cut off: it has no end marker.")
        return at, data[at + 1]

    def _segment(self, view: memoryview, start: int, marker: int) -> int:
        """Checks the segment at `start`; returns where the next marker should be."""
        if marker < 0xC0 or 0xD0 <= marker <= 0xD8:
            raise Unreadable(f"Marker 0x{marker:02X} at byte {start} has no place there.")
        length = int.from_bytes(view[start + 2 : start + 4], "big")
        end = start + 2 + length
        if length < 2 or end > self.end:
            raise Unreadable(f"This JPEG is cut off in the segment at byte {start}.")
        body = view[start + 4 : end]
        if marker == _SOS:
            return self._scan(body, end)
        if marker in _FRAMES:
            self._frame(marker, body)
        elif marker == _DQT:
            self.quantised = True
        elif 0xE0 <= marker <= 0xEF:
            if not self.scans:
                self.head.take(marker, view[start:end])
        elif marker not in _TABLES and marker < 0xF0:
            raise Unreadable(f"Coding process 0x{marker:02X} is one that no common decoder reads.")
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
        if not self.frame or not (self.quantised or self.frame == 0xC3):
            raise Unreadable("This JPEG's image data comes before its frame header or its tables.")
        if not len(body) or not 1 <= body[0] <= 4 or len(body) != 4 + 2 * body[0]:
            raise Unreadable("The scan header of this JPEG is malformed.")
        found = _SCAN_END.search(self.data, start)
        if found is None:
            raise Unreadable("This JPEG is cut off in its image data: it has no end marker.")
        if found.start() == start:
            raise Unreadable("This JPEG has an empty scan.")
        self.scans += 1
        return found.start()
