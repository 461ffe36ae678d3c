"""Real photos behind the small world's index, in each format that may be delivered."""

import io
from pathlib import Path

from PIL import Image, ImageDraw
from pillow_heif import register_heif_opener
from sqlalchemy import update
from sqlmodel import col

from sharing.records.datasets import DatasetObject
from tests.api.world import World

KINDS = ("JPEG", "PNG", "WEBP", "HEIF")
MARK = b"CANARYMETADATA"


def picture(number: int, kind: str) -> bytes:
    """A portrait-shaped picture, sideways by its EXIF, with metadata that must not be shown."""
    register_heif_opener()
    image = Image.new("RGB", (900, 1200), (40 + 50 * number % 200, 120, 200 - 40 * number % 200))
    pen = ImageDraw.Draw(image)
    pen.ellipse((250, 200, 650, 700), fill=(222, 172, 135))
    pen.ellipse((60, 850, 840, 1500), fill=(60, 40 + 60 * number % 200, 90))
    exif = Image.Exif()
    exif[0x010F] = MARK.decode()
    out = io.BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


async def laid_out(world: World, kinds: tuple[str, ...] = KINDS) -> None:
    """Writes a picture for each object of the dataset, and indexes them as they are."""
    folder = Path(world.app.state.backend.settings.home) / "store" / "photos"
    for number, kind in enumerate(kinds):
        file = folder / f"s{number}" / "a.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number, kind))
        status = file.stat()
        change = update(DatasetObject).where(
            col(DatasetObject.path) == f"s{number}/a.jpg",
            col(DatasetObject.dataset_id) == world.dataset,
        )
        values = {"bytes": status.st_size, "modified_ns": status.st_mtime_ns}
        await world.database.write(lambda u, c=change, v=values: u.session.execute(c.values(v)))  # type: ignore[misc]
