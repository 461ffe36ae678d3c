"""Profile photos for the demo: drawn, of people who do not exist, with all that cameras write."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from api.demo.camera import Shot, exif_block, srgb_profile, xmp_packet
from api.demo.faces import Looks, looks, portrait

_CAMERAS = (
    ("Canon", "Canon EOS 40D"),
    ("NIKON CORPORATION", "NIKON D90"),
    ("SONY", "DSC-W120"),
    ("Apple", "iPhone 4"),
    ("SAMSUNG", "GT-I9100"),
    ("Panasonic", "DMC-TZ7"),
)
_PLACES = (
    (40.7128, -74.0060),
    (37.7749, -122.4194),
    (41.8781, -87.6298),
    (51.5074, -0.1278),
    (-33.8688, 151.2093),
    (48.8566, 2.3522),
)
_PHOTOGRAPHERS = ("A. Rivera", "M. Okafor", "J. Lindqvist", "S. Tanaka", "P. Marchetti")
_FIRST_DAY = datetime(2008, 1, 1, tzinfo=UTC)
_DAYS = 7 * 365 + 1  # to the end of 2014

# Which way the sensor was turned; the stored pixels are turned back by the viewer.
_TURNS = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
_PHOTOS_EACH = (1, 1, 1, 2, 2, 3)


@dataclass(frozen=True, slots=True)
class Portrait:
    """One drawn photo: its path inside the folder, who it is of, and what its metadata gives away.

    Times are UTC; latitude and longitude in degrees; `orientation` as in EXIF.
    """

    path: str
    subject: str
    taken_at: datetime
    latitude: float
    longitude: float
    photographer: str
    orientation: int


def draw(folder: Path, count: int, seed: int = 2014) -> list[Portrait]:
    """Draws `count` photos as `<subject>/<name>.jpg` in `folder`, about 45 KB each.

    The same count and seed give the same photos. Subjects have one to three photos each.
    """
    random = Random(seed)  # noqa: S311 (pictures, not secrets)
    portraits: list[Portrait] = []
    while len(portraits) < count:
        person, subject = looks(random), f"user-{random.randrange(10**6):06}"
        for _ in range(min(random.choice(_PHOTOS_EACH), count - len(portraits))):
            name = f"IMG_{1000 + len(portraits):04}.jpg"
            portraits.append(_taken(folder, f"{subject}/{name}", subject, person, random))
    return portraits


def _taken(folder: Path, path: str, subject: str, person: Looks, random: Random) -> Portrait:
    shot = _shot(random)
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_jpeg(portrait(person, random), shot, f"Profile photo of {subject}"))
    return Portrait(
        path,
        subject,
        shot.taken_at,
        shot.latitude,
        shot.longitude,
        shot.photographer,
        shot.orientation,
    )


def _shot(random: Random) -> Shot:
    make, model = random.choice(_CAMERAS)
    latitude, longitude = random.choice(_PLACES)
    return Shot(
        make=make,
        model=model,
        taken_at=_FIRST_DAY
        + timedelta(days=random.randrange(_DAYS), seconds=random.randrange(86400)),
        latitude=round(latitude + random.uniform(-0.2, 0.2), 5),
        longitude=round(longitude + random.uniform(-0.2, 0.2), 5),
        orientation=random.choice((1, 1, 1, 1, 1, 3, 6, 8)),
        photographer=random.choice(_PHOTOGRAPHERS),
    )


def _jpeg(image: Image.Image, shot: Shot, title: str) -> bytes:
    small = BytesIO()
    image.reduce(4).save(small, "JPEG", quality=75)
    if shot.orientation in _TURNS:
        image = image.transpose(_TURNS[shot.orientation])
    out = BytesIO()
    image.save(
        out,
        "JPEG",
        quality=93,
        exif=exif_block(shot, small.getvalue()),
        xmp=xmp_packet(shot, title),
        icc_profile=srgb_profile(),
    )
    return out.getvalue()
