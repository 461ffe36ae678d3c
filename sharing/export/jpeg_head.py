"""What stays of a JPEG's application segments: four things, each rebuilt clean."""

from sharing.export import exif, icc

_JFIF = b"JFIF\x00"
_ADOBE = b"Adobe"
_PROFILE = b"ICC_PROFILE\x00"
_CHUNK = 65_519  # the most profile bytes that fit one APP2 segment beside its 14-byte header
_ORIENTATIONS = {value: exif.with_orientation(value) for value in range(2, 9)}


class Head:
    """Collects from the APPn segments before the first scan what may stay, and forgets the rest."""

    __slots__ = ("adobe", "jfif", "orientation", "profile")

    def __init__(self) -> None:
        self.jfif = b""
        self.orientation = 0
        self.profile: list[memoryview] = []
        self.adobe = b""

    def take(self, marker: int, segment: memoryview) -> None:
        """Looks at one whole APPn segment, its marker and length included."""
        body = segment[4:]
        if marker == 0xE1:
            if not self.orientation and body[:6] == exif.HEADER:
                self.orientation = exif.orientation(body[6:])
        elif marker == 0xE2:
            if body[:12] == _PROFILE and len(body) > 14:
                self.profile.append(segment)
        elif marker == 0xE0:
            if not self.jfif and body[:5] == _JFIF and len(body) >= 14:
                # Version, unit and density stay; the thumbnail's size becomes 0 x 0.
                self.jfif = b"\xff\xe0\x00\x10" + bytes(body[:12]) + b"\x00\x00"
        elif marker == 0xEE and body[:5] == _ADOBE and len(body) >= 12:
            # Says whether colours are RGB, YCbCr or YCCK: without it the pixels would differ.
            self.adobe = b"\xff\xee\x00\x0e" + bytes(body[:12])

    def cleaned(self) -> bytes:
        """The segments that stand between the start marker and the image's own tables."""
        turned = _ORIENTATIONS.get(self.orientation, b"")
        return self.jfif + turned + self._clean_profile() + self.adobe

    def _clean_profile(self) -> bytes:
        """The colour profile, exactly as long as it says it is; nothing where it is not one."""
        if not self.profile:
            return b""
        if len(self.profile) == 1:
            whole = self.profile[0][18:]
            if icc.own_length(whole) == len(whole) and bytes(self.profile[0][16:18]) == b"\x01\x01":
                return bytes(self.profile[0])
        return _chunked(self._joined())

    def _joined(self) -> bytes:
        """The chunks in the order of their numbers; nothing where one is absent or there twice."""
        chunks = sorted(self.profile, key=lambda segment: segment[16])
        numbers = [segment[16] for segment in chunks]
        if numbers != list(range(1, len(chunks) + 1)):
            return b""
        whole = b"".join(segment[18:] for segment in chunks)
        return whole[: icc.own_length(whole)]


def exif_block(start: bytes) -> bytes:
    """The EXIF block in the first bytes of a JPEG file, without its header; empty where absent."""
    at = 2
    while start[at : at + 1] == b"\xff" and len(start) >= at + 4:
        marker, length = start[at + 1], int.from_bytes(start[at + 2 : at + 4], "big")
        if marker == 0xE1 and start[at + 4 : at + 10] == exif.HEADER:
            return start[at + 10 : at + 2 + length]
        if marker == 0xDA or length < 2:
            break
        at += 2 + length
    return b""


def _chunked(profile: bytes) -> bytes:
    parts = [profile[at : at + _CHUNK] for at in range(0, len(profile), _CHUNK)]
    if len(parts) > 255:
        return b""
    return b"".join(
        b"\xff\xe2"
        + (16 + len(part)).to_bytes(2, "big")
        + _PROFILE
        + bytes((number, len(parts)))
        + part
        for number, part in enumerate(parts, 1)
    )
