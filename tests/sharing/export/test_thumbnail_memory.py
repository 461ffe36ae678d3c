"""What a large picture costs whoever makes it small: an export worker outlives strangers' files."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SIDE = 5_500  # 30 million pixels, as good cameras have
MEASURE = """
import resource, sys
from pathlib import Path
from sharing.export.thumbnail import small_of
data = Path(sys.argv[1]).read_bytes()
image = small_of(data)
print(*image.size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
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
