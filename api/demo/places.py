"""What photos tell besides their picture, as an independent reader sees it."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

GPS = 0x8825  # the tag of EXIF's directory of positions
ORIENTATION = 0x0112
TELLING = frozenset({"xmp", "comment", "photoshop", "iptc", "mp"})


def tells_place(photo: bytes) -> bool:
    """True if the photo's EXIF holds a position."""
    try:
        with Image.open(io.BytesIO(photo)) as image:
            return bool(image.getexif().get_ifd(GPS))
    except Exception:  # a damaged file tells nothing; Pillow has many ways of saying so
        return False


def tells_anything(photo: bytes) -> bool:
    """True if the photo holds any EXIF tag but its orientation, or XMP, IPTC or a comment."""
    with Image.open(io.BytesIO(photo)) as image:
        return bool(set(image.getexif()) - {ORIENTATION} or TELLING & set(image.info))


def before(folder: Path, paths: Iterable[str]) -> int:
    """How many of these photos tell their place, as they are held."""
    return sum(tells_place((folder / path).read_bytes()) for path in paths)


def after(package: Path) -> int:
    """How many photos in a delivered package of shards tell anything besides their picture."""
    return sum(tells_anything(photo) for photo in _photos(package))


def _photos(package: Path) -> Iterator[bytes]:
    for shard in sorted(package.glob("shard-*.tar")):
        with tarfile.open(shard) as packed:
            for member in packed:
                file = packed.extractfile(member)
                if file is not None and not member.name.endswith(".json"):
                    yield file.read()
