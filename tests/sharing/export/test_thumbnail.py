"""Pictures made small: what large ones cost, and which are shown. A worker outlives strangers'
files."""

import random
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sharing.export.jpeg import stripped
from sharing.export.thumbnail import small_of

SIDE = 5_500  # 30 million pixels, as good cameras have
MEASURE = r"""
import re, sys
from pathlib import Path
from sharing.export.thumbnail import small_of
data = Path(sys.argv[1]).read_bytes()
image = small_of(data)
status = Path("/proc/self/status").read_text()
print(*image.size, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024)
"""


@pytest.mark.parametrize(("mode", "mebibytes"), [("RGB", 280), ("RGBA", 340)])
def test_a_large_picture_is_not_copied_whole(tmp_path: Path, mode: str, mebibytes: int) -> None:
    """A picture that cannot be decoded small is in memory once, and twice if its edges are soft."""
    file = tmp_path / "large.png"
    Image.new(mode, (SIDE, SIDE)).save(file, compress_level=1)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )
    width, height, used = (int(one) for one in run.stdout.split())
    assert (width, height) == (240, 240)
    assert used < mebibytes


def encoded(kind: str, **more: object) -> bytes:
    """A photo in a format."""
    out = BytesIO()
    Image.new("RGB", (900, 600), (200, 10, 10)).save(out, kind, **more)
    return out.getvalue()


def test_a_jpeg_with_others_behind_it_is_shown() -> None:
    """What phones write as several pictures in one file is delivered as its first; so it is shown
    to who decides, and as that one."""
    data = encoded("MPO", save_all=True, append_images=[Image.new("RGB", (900, 600), (0, 0, 255))])
    assert stripped(data)
    small = small_of(data)
    assert small is not None
    red, green, blue = small.getpixel((100, 50))  # type: ignore[misc]
    assert (red > 150, green < 60, blue < 60) == (True, True, True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_picture_is_none_or_small(kind: str) -> None:
    """Whatever is changed or cut off in a file, it is made small or is none, and soon."""
    data, chance, begun = encoded(kind), random.Random(7), time.monotonic()
    for _ in range(60):
        broken = bytearray(data[: chance.randrange(1, len(data) + 1)])
        for _ in range(chance.randrange(1, 9)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        small = small_of(bytes(broken))
        assert small is None or max(small.size) <= 240
    assert time.monotonic() - begun < 60
