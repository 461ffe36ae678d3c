"""The demo, run as a newcomer runs it, on drawn portraits and on photographs of real cameras."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from api.demo.photos import CUT_SHORT, DRAWN
from sharing.export.index import MEDIA_TYPES
from sharing.stages import GATES
from tests.e2e.commands import demo, verified

pytestmark = pytest.mark.slow


def undecodable(folder: Path) -> Iterator[str]:
    """The images that an independent decoder cannot read to the end."""
    for file in images(folder):
        try:
            with Image.open(file) as image:
                image.load()
        except (OSError, SyntaxError, ValueError):
            yield file.relative_to(folder).as_posix()


def images(folder: Path) -> list[Path]:
    """Every file whose name says that it is an image."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in MEDIA_TYPES)


def listed(home: Path) -> list[str]:
    """The objects that the system lists as unreadable."""
    with closing(sqlite3.connect(home / "clearance.sqlite3")) as database:
        return sorted(path for (path,) in database.execute("SELECT path FROM unreadable_object"))


async def test_demo_on_drawn_portraits(tmp_path: Path) -> None:
    """On a fresh home the demo ends well: every photo is delivered or excluded for a reason, the
    package verifies, and with one flipped byte it does not."""
    told = await demo(tmp_path / "home")
    assert (told["ok"], told["state"], told["verified"]) == (True, "delivered", True)
    assert told["refused"] == ["not_cleared", "not_eligible", "package_broken"]
    assert told["objects"] + sum(told["excluded"].values()) == DRAWN
    assert told["excluded"]["unreadable"] == CUT_SHORT
    assert len(told["excluded"]) >= 9
    package, key = Path(told["package"]), told["key"]
    assert (await verified(str(package), key))[0] == 0
    for name in ("shard-00000.tar", "manifest.parquet", "manifest.json", "seal.json"):
        whole = (package / name).read_bytes()
        flipped = bytearray(whole)
        flipped[len(flipped) // 2] ^= 1
        (package / name).write_bytes(flipped)
        code, out = await verified(str(package), key)
        assert (code, out) == (1, f"{name}\n")
        (package / name).write_bytes(whole)


async def test_the_request_of_2014_is_stopped_at_each_gate(tmp_path: Path) -> None:
    """The request as it came in 2014 is refused at each gate in turn, its founder can approve none
    of them; done properly, the same partner gets exactly the photos that may be shared."""
    told = await demo(tmp_path / "home", "--story")
    assert (told["ok"], told["state"], told["verified"]) == (True, "delivered", True)
    by_founder = ["not_eligible"] * 4
    assert told["refused"] == [*by_founder, "not_cleared", "not_eligible", "package_broken"]
    assert told["objects"] + sum(told["excluded"].values()) == DRAWN
    with closing(sqlite3.connect(tmp_path / "home" / "clearance.sqlite3")) as database:
        stopped = database.execute(
            "SELECT stage FROM decision WHERE outcome = 'refused' ORDER BY at"
        ).fetchall()
    assert [stage for (stage,) in stopped] == list(GATES)


async def test_demo_on_camera_photos(camera_photos: Path, tmp_path: Path) -> None:
    """Of real cameras' photographs, two of them cut short, exactly those that no decoder reads are
    unreadable, and listed; nothing else is lost."""
    home, photos = tmp_path / "home", tmp_path / "photos"
    shutil.copytree(camera_photos, photos)
    for cut in images(photos)[::20][:2]:
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    told = await demo(home, "--photos", str(photos))
    broken = sorted(undecodable(photos))
    assert len(broken) >= 2
    assert told["objects"] + sum(told["excluded"].values()) == len(images(photos))
    assert told["excluded"]["unreadable"] == len(broken)
    assert listed(home) == broken
