"""20,000 photographs to export: drawn once, kept in a cache folder under the temp folder.

200 drawings of about 50 KB carry what cameras write (EXIF with GPS and a thumbnail, XMP, a colour
profile); each file is one of them with its own comment and its own quantisation table, so that no
two files, and no two stripped files, are the same.
"""

import io
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageCms, ImageDraw, ImageFilter

DRAWINGS = 200
PHOTOS_PER_SUBJECT = 10
SIDE = 448
TARGET_BYTES = 50_000
DQT = b"\xff\xdb"
XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>A. Person</dc:creator></rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def folder_of(photos: int) -> Path:
    """A folder with `photos` JPEG files as `SUBJECT/PHOTO.jpg`, made if it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "clearance-bench" / f"photos-{photos}"
    if folder.exists():
        return folder
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for path, content in _files(photos):
        file = unfinished / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    unfinished.rename(folder)
    return folder


def _files(photos: int) -> Iterator[tuple[str, bytes]]:
    drawings = [drawing(number) for number in range(min(DRAWINGS, photos))]
    for number in range(photos):
        subject, photo = divmod(number, PHOTOS_PER_SUBJECT)
        yield f"s{subject:06}/{photo}.jpg", changed(drawings[number % len(drawings)], number)


def drawing(number: int) -> bytes:
    """One JPEG of about 50 KB, with everything that has to be stripped from it."""
    chance = random.Random(number)
    picture = Image.effect_noise((SIDE, SIDE), 40 + number % 20).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for _ in range(30):
        x, y, size = (chance.randrange(SIDE) for _ in range(3))
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + size // 2, y + size // 2), fill=colour, outline="white")
    picture = picture.filter(ImageFilter.GaussianBlur(0.7))
    return _as_jpeg(picture)


def _as_jpeg(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Bench", "Drawn", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    thumbnail = io.BytesIO()
    picture.resize((96, 96)).save(thumbnail, "JPEG")
    exif[0x927C] = thumbnail.getvalue()  # a maker's note, the size of a real one
    best = b""
    for quality in range(60, 96, 5):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, exif=exif, xmp=XMP, icc_profile=profile)
        if abs(file.tell() - TARGET_BYTES) < abs(len(best) - TARGET_BYTES):
            best = file.getvalue()
    return best


def changed(jpeg: bytes, number: int) -> bytes:
    """The same picture with a comment of its own and a colour table of its own."""
    table = jpeg.index(DQT) + 5
    # The last entries of the table weigh the finest detail, of which there is hardly any.
    fine = bytes((1 + (number // 250) % 250, 1 + number % 250))
    jpeg = jpeg[: table + 62] + fine + jpeg[table + 64 :]
    comment = b"photo %012d" % number
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return jpeg[:2] + segment + jpeg[2:]
