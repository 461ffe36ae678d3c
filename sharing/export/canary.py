"""Canaries: what is drawn for one export, planted among its objects, and found again if it leaks.

All of it follows from the partner's key and the export's id, so that an attempt that died and the
one after it write the same bytes, and nobody without the key can tell which names are meant."""

import hashlib
import hmac
from dataclasses import dataclass
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from sharing.export.minimise import minimise
from sharing.export.pseudonyms import OBJECT_HEX, SUBJECT_HEX

MEDIA_TYPE = "image/jpeg"
_SMALLEST, _LARGEST = 160, 2400  # pixels along the shorter side
_BYTES_A_PIXEL = 0.17  # of a drawn portrait with grain, at the quality below
_QUALITY = 88
_SKINS = ((241, 205, 176), (222, 172, 135), (187, 132, 94), (140, 92, 62), (94, 60, 42))
_HAIRS = ((32, 24, 20), (74, 48, 30), (128, 88, 48), (196, 160, 96), (150, 148, 146))


@dataclass(frozen=True, slots=True)
class Planted:
    """A drawn object under the name and the pseudonym that it is delivered under."""

    name: str
    subject: str
    data: bytes
    consent_position: int
    media_type: str = MEDIA_TYPE

    @property
    def sha256(self) -> str:
        """As the manifest has it."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Planting:
    """How many canaries an export has, over how many shards, of about which size in bytes."""

    export_id: str
    count: int
    shards: int
    bytes: int


def planted(key: bytes, planting: Planting, shard: int, position: int) -> tuple[Planted, ...]:
    """The canaries of one shard; `position` is the ledger's, as of the shard's other objects."""
    root = hmac.digest(key, b"clearance canary v1\x00" + planting.export_id.encode(), "sha256")
    return tuple(
        _planted(root, number, planting.bytes, position)
        for number in range(planting.count)
        if int.from_bytes(_from(root, "shard", number), "big") % planting.shards == shard
    )


def _planted(root: bytes, number: int, size: int, position: int) -> Planted:
    # Pictures, not secrets: but the seed is one, so nobody else can draw the same.
    random = Random(int.from_bytes(_from(root, "picture", number), "big"))  # noqa: S311
    return Planted(
        _from(root, "object", number).hex()[:OBJECT_HEX],
        _from(root, "subject", number).hex()[:SUBJECT_HEX],
        drawn(random, size),
        position,
    )


def _from(root: bytes, what: str, number: int) -> bytes:
    return hmac.digest(root, f"{what}\x00{number}".encode(), "sha256")


def drawn(random: Random, size: int) -> bytes:
    """A portrait of nobody, as a JPEG of about `size` bytes without any metadata."""
    pixels = size * random.uniform(0.7, 1.4) / _BYTES_A_PIXEL
    width = round(min(max((pixels * 0.75) ** 0.5, _SMALLEST), _LARGEST))
    picture = _portrait(random, width, width * 4 // 3)
    grain = Image.frombytes("L", picture.size, random.randbytes(picture.width * picture.height))
    grained = Image.blend(picture, Image.merge("RGB", [grain] * 3), 0.05)
    out = BytesIO()
    grained.save(out, "JPEG", quality=_QUALITY)
    return b"".join(minimise(out.getvalue(), MEDIA_TYPE))


def _portrait(random: Random, width: int, height: int) -> Image.Image:
    colours = [tuple(random.randrange(40, 216) for _ in range(3)) for _ in range(4)]
    background = Image.new("RGB", (2, 2))
    background.putdata(colours)
    picture = background.resize((width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    skin, hair = random.choice(_SKINS), random.choice(_HAIRS)
    x, y = width * random.uniform(0.42, 0.58), height * random.uniform(0.38, 0.46)
    wide, high = width * random.uniform(0.17, 0.23), height * random.uniform(0.19, 0.24)
    shirt = tuple(random.randrange(20, 220) for _ in range(3))
    pen.ellipse((x - wide * 2.2, y + high * 1.1, x + wide * 2.2, height * 1.6), fill=shirt)
    pen.rectangle((x - wide * 0.4, y, x + wide * 0.4, y + high * 1.35), fill=skin)
    top = high * random.uniform(1.12, 1.3)
    pen.ellipse((x - wide * 1.12, y - top, x + wide * 1.12, y + high * 0.5), fill=hair)
    pen.ellipse((x - wide, y - high * 0.85, x + wide, y + high), fill=skin)
    for side in (-1, 1):
        eye = x + side * wide * 0.42
        pen.ellipse(
            (eye - wide * 0.13, y - high * 0.16, eye + wide * 0.13, y), fill=(246, 244, 240)
        )
        pen.ellipse(
            (eye - wide * 0.06, y - high * 0.13, eye + wide * 0.06, y - high * 0.03), fill=hair
        )
    lips = tuple(part * 3 // 4 for part in skin)
    pen.arc((x - wide * 0.35, y + high * 0.3, x + wide * 0.35, y + high * 0.6), 20, 160, lips, 4)
    return picture.filter(ImageFilter.GaussianBlur(width / 220))
