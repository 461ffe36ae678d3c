"""Small photographs for tests, each different, with the metadata that must not leave."""

import io
from pathlib import Path

from PIL import Image

GPS = 0x8825


def photo(seed: int, size: tuple[int, int] = (48, 64)) -> bytes:
    """A JPEG with EXIF (a camera, a date, a position) and a comment."""
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256))
    image.paste((255, 255, 255), (seed % size[0], 0, seed % size[0] + 2, size[1]))
    exif = Image.Exif()
    exif[0x010F] = "Canary camera"
    exif.get_ifd(0x8769)[0x9003] = f"20{10 + seed % 10}:05:04 03:02:01"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, comment=b"canary comment", quality=90)
    return buffer.getvalue()


def fill(folder: Path, subjects: int, each: int = 2) -> list[str]:
    """`<subject>/<n>.jpg` in a folder; returns the subjects."""
    names = [f"s{i:03}" for i in range(subjects)]
    for i, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for j in range(each):
            (folder / name / f"{j}.jpg").write_bytes(photo(i * each + j))
    return names
