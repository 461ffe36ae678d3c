"""Takes a photo and leaves the picture: every pixel as it was, and nothing about the person.

Each format has a file with its own allow-list: what is on the list is copied byte for byte, what
is not is not there to leak, and a file that the list cannot vouch for is Unreadable as a whole.
Pixels are never decoded, so they cannot change. What a photo is, its bytes say, not its name."""

from collections.abc import Callable

from sharing.export import heic, jpeg, png, webp
from sharing.export.unreadable import Buffer, Piece, Unreadable

JPEG, PNG, WEBP, HEIC = "image/jpeg", "image/png", "image/webp", "image/heic"

EXTENSIONS = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp", HEIC: ".heic"}

_STRIP: dict[str, Callable[[Buffer], list[Piece]]] = {
    JPEG: jpeg.stripped,
    PNG: png.stripped,
    WEBP: webp.stripped,
    HEIC: heic.stripped,
}
_START = 256  # bytes in which a photo says what it is
_OTHERS = {b"GIF8": "GIF", b"II*\x00": "TIFF", b"MM\x00*": "TIFF", b"BM": "BMP"}


def minimise(data: Buffer, media_type: str) -> list[Piece]:
    """The pieces of the stripped photo, in order; joined, they are the file to deliver.

    Kept: the image itself, colour profile and orientation. `media_type` is what `format_of`
    says. Raises Unreadable for anything but a structurally whole photo of that format.
    """
    strip = _STRIP.get(media_type)
    if strip is None:
        known = ", ".join(_STRIP)
        raise Unreadable(f"{media_type} cannot be stripped of what is not picture: only {known}.")
    return strip(data)


def format_of(data: Buffer) -> str:
    """The media type of a photo, by its first bytes; raises Unreadable for what is none of ours."""
    if data[:2] == b"\xff\xd8":
        return JPEG
    start = bytes(data[:_START])
    if start[:8] == png.SIGNATURE:
        return PNG
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return WEBP
    if start[4:8] == b"ftyp":
        _refuse_other_brands(start)
        return HEIC
    for mark, name in _OTHERS.items():
        if start.startswith(mark):
            raise _cannot(name)
    raise Unreadable("This does not begin like a photo: neither JPEG, PNG, WebP nor HEIC.")


def _refuse_other_brands(start: bytes) -> None:
    """AVIF photos and films have the same boxes as HEIC, and other things in them."""
    size = int.from_bytes(start[:4], "big")
    brands = {start[8:12], *(start[at : at + 4] for at in range(16, min(size, _START), 4))}
    if brands & {b"avif", b"avis"}:
        raise _cannot("AVIF")
    if not brands & heic.BRANDS:
        raise Unreadable("This is a film or another kind of file in boxes, not a HEIC photo.")


def _cannot(name: str) -> Unreadable:
    return Unreadable(f"This is a {name}, which cannot be stripped of what is not picture yet.")


__all__ = ["EXTENSIONS", "HEIC", "JPEG", "PNG", "WEBP", "Unreadable", "format_of", "minimise"]
