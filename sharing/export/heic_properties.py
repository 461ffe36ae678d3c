"""What a HEIC file says about its images: size, colours, rotation. Each is checked or made anew."""

from collections.abc import Callable

from sharing.export import hevc, icc
from sharing.export.iso_boxes import versioned, written
from sharing.export.unreadable import Unreadable

# The two names of the one auxiliary picture that belongs to the picture: how transparent it is.
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


def cleaned(kind: bytes, body: memoryview) -> bytes | None:
    """The whole box of a property that may stay, or None; raises Unreadable for a broken one."""
    clean = _CLEAN.get(kind)
    return clean(kind, body) if clean else None


def is_alpha(body: memoryview) -> bool:
    """Whether a property `auxC` says that its image is the transparency of another one."""
    return bytes(body[4 : 4 + 64]).split(b"\x00")[0] in _ALPHA


def _exactly(size: int) -> Callable[[bytes, memoryview], bytes]:
    def clean(kind: bytes, body: memoryview) -> bytes:
        if len(body) != size:
            raise _malformed(kind)
        return written(kind, bytes(body))

    return clean


def _below(limit: int) -> Callable[[bytes, memoryview], bytes]:
    def clean(kind: bytes, body: memoryview) -> bytes:
        if len(body) != 1 or body[0] >= limit:
            raise _malformed(kind)
        return written(kind, bytes(body))

    return clean


def _size(kind: bytes, body: memoryview) -> bytes:
    if len(body) != 12 or not any(body[4:8]) or not any(body[8:12]):
        raise _malformed(kind)
    return versioned(kind, 0, 0, bytes(body[4:]))


def _bits(kind: bytes, body: memoryview) -> bytes:
    if len(body) < 6 or len(body) != 5 + body[4]:
        raise _malformed(kind)
    return versioned(kind, 0, 0, bytes(body[4:]))


def _colours(kind: bytes, body: memoryview) -> bytes | None:
    how = bytes(body[:4])
    if how == b"nclx":
        if len(body) != 11:
            raise _malformed(kind)
        return written(kind, bytes(body[:10]), bytes((body[10] & 0x80,)))
    size = icc.own_length(body[4:]) if how in (b"prof", b"rICC") else 0
    return written(kind, bytes(body[: 4 + size])) if size else None


def _auxiliary(kind: bytes, body: memoryview) -> bytes | None:
    name = bytes(body[4 : 4 + 64]).split(b"\x00")[0]
    return versioned(kind, 0, 0, name, b"\x00") if name in _ALPHA else None


def _hevc(kind: bytes, body: memoryview) -> bytes:
    return written(kind, hevc.configuration(body))


def _malformed(kind: bytes) -> Unreadable:
    return Unreadable(f"The property {kind.decode()} of this HEIC is malformed.")


_CLEAN: dict[bytes, Callable[[bytes, memoryview], bytes | None]] = {
    b"hvcC": _hevc,
    b"ispe": _size,
    b"pixi": _bits,
    b"colr": _colours,
    b"auxC": _auxiliary,
    b"irot": _below(4),
    b"imir": _below(2),
    b"pasp": _exactly(8),
    b"clap": _exactly(32),
    b"clli": _exactly(4),
    b"mdcv": _exactly(24),
}
