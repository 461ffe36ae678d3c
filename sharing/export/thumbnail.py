"""Photos made small to be looked at: drawn anew from their pixels, so that nothing else of them is
left. Every format that may be delivered can be shown; whatever cannot be read is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

from pi_heif import register_heif_opener
from PIL import Image, ImageOps

from sharing.export.bucket import Bucket
from sharing.export.reading import read
from sharing.export.source import IN_MEMORY, Candidate, Unread

LONGEST = 240  # pixels along the longer side
MEDIA_TYPE = "image/jpeg"
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
SEVERAL = "MPO"  # a JPEG with others behind it, as phones make them: the first is the photo
MOST_PIXELS = 80_000_000
# Whatever is copied while it is large costs as much memory again. Other kinds look bad like this.
SHRUNK_AT_ONCE = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_QUALITY, _PAPER = 74, (255, 255, 255)
_AT_ONCE = 6

register_heif_opener()


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG without metadata; `place` says which of the candidates it is of."""

    place: int
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Thumbnails in the order of their candidates; how many of those were unreadable."""

    thumbnails: tuple[Thumbnail, ...] = ()
    unreadable: int = 0


def drawn(source: Path | Bucket, candidates: Sequence[Candidate], most: int) -> Drawn:
    """The first `most` of the candidates that can be drawn; no more are read than that takes.
    Raises SourceFailed."""
    found, unreadable, numbered = list[Thumbnail](), 0, iter(enumerate(candidates))
    while len(found) < most and (some := list(islice(numbered, _AT_ONCE))):
        for (place, _), (_, data) in zip(some, read(source, [c for _, c in some]), strict=True):
            small = None if isinstance(data, Unread) else small_of(bytes(data[:IN_MEMORY]))
            if small is None:
                unreadable += 1
            elif len(found) < most:
                found.append(Thumbnail(place, _saved(small), small.width, small.height))
    return Drawn(tuple(found), unreadable)


def small_of(data: bytes) -> Image.Image | None:
    """The picture upright and small, in a new image that carries nothing of the old one but
    pixels; None for what cannot be read, is animated, or is so large that it may be a trap."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            moves = getattr(image, "is_animated", False) and image.format != SEVERAL
            if image.width * image.height > MOST_PIXELS or moves:
                return None
            image.draft("RGB", (2 * LONGEST, 2 * LONGEST))  # a JPEG is decoded small at once
            if image.mode in SHRUNK_AT_ONCE:
                image.thumbnail((LONGEST, LONGEST))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception:  # every decoder has failures of its own, and here all mean the same
        return None
    upright.thumbnail((LONGEST, LONGEST))
    plain = Image.new("RGB", upright.size, _PAPER)
    plain.paste(upright, mask=upright)
    return plain


def _saved(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
