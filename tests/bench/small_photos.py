"""Many small photographs: real, valid JPEG files of under a kilobyte, each a file of its own."""

import io
import os
from pathlib import Path

from PIL import Image

PHOTOS_PER_SUBJECT = 10
_SIDE = 16


def fill(folder: Path, photos: int) -> None:
    """`photos` files as `SUBJECT/PHOTO.jpg`, each with a comment and a picture of its own."""
    pictures = [_picture(number) for number in range(251)]
    for number in range(photos):
        subject, photo = divmod(number, PHOTOS_PER_SUBJECT)
        if not photo:
            (folder / name(subject)).mkdir(parents=True)
        picture, comment = pictures[number % len(pictures)], b"photo %012d" % number
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        descriptor = os.open(
            f"{folder}/{name(subject)}/{photo}.jpg", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644
        )
        os.write(descriptor, picture[:2] + segment + picture[2:])
        os.close(descriptor)


def name(subject: int) -> str:
    """A subject's name."""
    return f"s{subject:07}"


def _picture(number: int) -> bytes:
    file = io.BytesIO()
    colour = (number, 255 - number, number * 7 % 256)
    Image.new("RGB", (_SIDE, _SIDE), colour).save(file, "JPEG", quality=50)
    return file.getvalue()
