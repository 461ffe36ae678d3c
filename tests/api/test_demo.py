"""The demo: its people, its promises, and what it tells a program."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from api import parts
from api.commands.demo import OPENING
from api.commands.token import issued
from api.demo import delivery
from api.demo.cast import cast
from api.demo.consents import REASONS, ledger
from api.demo.photos import Album, Photo, copied, drawn
from api.demo.show import Show
from api.demo.story import Story
from api.told import Told
from api.up import System, running
from sharing.stages import Exclusion, Role

HELD = {"never_asked", "withdrawn", "wrong_recipient", "refused", "expired", "wrong_purpose"}


def album(people: int, broken: int = 0) -> Album:
    """An album with two photos each; the first photo of the first `broken` people is damaged."""
    photos = tuple(
        Photo(f"p{i:03}/{n}.jpg", f"p{i:03}", readable=not (i < broken and n == 0))
        for i in range(people)
        for n in range(2)
    )
    return Album(Path("nowhere"), "path:{subject}/*", photos, located=0)


@pytest.mark.parametrize(("people", "broken"), [(0, 0), (1, 0), (2, 1), (9, 9), (40, 3), (200, 5)])
def test_excluded_people_and_damaged_photos_are_counted_apart(people: int, broken: int) -> None:
    """Nobody with a damaged photo is left out for another reason, so every count is exact."""
    said = ledger(album(people, broken), "partner", "earlier")
    yes = Counter(e["subject"] for e in said.events)
    assert all(yes[f"p{i:03}"] == 1 for i in range(broken))
    assert said.excluded.get("unreadable", 0) == broken
    left_out = sum(said.excluded.values()) - broken
    assert left_out <= 2 * (people - broken) // 3


def test_every_way_of_not_saying_yes_is_shown() -> None:
    """With enough people each reason that a ledger can give is there at least once."""
    said = ledger(album(60), "partner", "earlier")
    assert set(said.excluded) == {reason.value for reason in REASONS}
    assert set(REASONS) == set(Exclusion) - {Exclusion.UNREADABLE}


def _files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def _own_photos(folder: Path) -> Path:
    """A person's own folder: six portraits, a damaged one, odd names, a link, and other files."""
    whole = sorted(drawn(folder / "made").folder.rglob("*.jpg"))
    own = folder / "own"
    for number, file in enumerate(whole[:6]):
        target = own / f"trip {number % 2}" / f"IMG_{number}.JPG"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    (own / "line\nbreak.jpg").write_bytes(whole[6].read_bytes())
    (own / "cut.jpg").write_bytes(whole[7].read_bytes()[:2000])
    (own / "notes.txt").write_text("not a photo")
    (own / "link.jpg").symlink_to(own / "cut.jpg")
    return own


def test_own_photos_are_only_read(tmp_path: Path) -> None:
    """Photos are copied, links and other files left out, and the person's folder stays as it is."""
    own = _own_photos(tmp_path)
    before = _files(own)
    found = copied(own, tmp_path / "dataset")
    assert _files(own) == before
    assert len(found.photos) == 8
    assert [p.path for p in found.photos if not p.readable] == ["cut.jpg"]
    assert len(found.subjects) == 8
    index = (tmp_path / "dataset" / "index.csv").read_text()
    assert index.startswith("object,subject\n")


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    """A folder without a photo is a sentence that says what is looked for."""
    with pytest.raises(Told, match=r"no photos under .*\.jpg"):
        copied(tmp_path, tmp_path / "dataset")


def test_plain_terminals_get_plain_signs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the terminal is not UTF-8 the marks have stand-ins, and nothing is lost or wrapped."""
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    show = Show()
    show.opening("Clearance", OPENING)
    show.done("It works", "1.0 s")
    show.decision("Ada", "engineer", "approved", "“Fine”")
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[2:5]) == OPENING
    assert lines[5].startswith("  + It works")
    assert lines[6].startswith("  > Ada, engineer: approved")
    assert all(len(line) <= 92 for line in lines)


async def _run(*words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *parts.program(*words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.slow
async def test_the_demo_ends_with_what_it_did(tmp_path: Path) -> None:
    """On somebody's own photos: one JSON object on stdout, the story on stderr, exact counts, and
    a package that verifies again by the command that the story ends with."""
    own = _own_photos(tmp_path)
    before, home = _files(own), tmp_path / "home"
    code, out, err = await _run("demo", "--photos", str(own), "--home", str(home), "--json")
    assert code == 0, err
    (line,) = out.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert told["ok"] is True
    assert (told["state"], told["verified"]) == ("delivered", True)
    assert told["refused"] == ["not_cleared", "not_eligible", "package_broken"]
    assert told["excluded"] == {"unreadable": 1, "never_asked": 1, "withdrawn": 1}
    assert told["objects"] == 5
    assert told["bytes"] > 0
    assert Path(told["package"]).is_relative_to(home)
    assert _files(own) == before
    assert "Ingrid Solheim tries to approve it all the same" in err
    verify = ("verify", told["package"], "--key", told["key"], "--json")
    code, out, _ = await _run(*verify)
    assert (code, json.loads(out)["objects"]) == (0, 5)
    shard = Path(told["package"]) / "shard-00000.tar"
    shard.write_bytes(shard.read_bytes()[:-1] + b"!")
    code, out, err = await _run(*verify[:-1])
    assert (code, out) == (1, "shard-00000.tar\n")
    assert err.startswith("package_broken: ")


async def test_a_used_home_is_wrong_usage(tmp_path: Path) -> None:
    """The demo begins with nothing: a folder that holds something is refused with exit code 2."""
    (tmp_path / "something").write_text("mine")
    code, out, err = await _run("demo", "--home", str(tmp_path), "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["code"]) == (2, False, "wrong_usage")
    assert "not empty" in told["detail"]
    assert "not empty" in err


async def test_home_inside_the_photos_is_wrong_usage(tmp_path: Path) -> None:
    """A home inside the person's own photos would be written into: refused with exit code 2."""
    code, _, err = await _run("demo", "--home", str(tmp_path / "x"), "--photos", str(tmp_path))
    assert code == 2
    assert "only read" in err
    assert list(tmp_path.iterdir()) == []


async def _kill_in_turn(system: System, deaths: list[str]) -> None:
    """kill -9 for each part once, the next as soon as everything serves again."""
    for name in (parts.EXPORT, parts.CONTROL, parts.API, parts.TEMPORAL):
        system.kill(name)
        deaths.append(name)
        await asyncio.sleep(0.3)
        await system.ready()
        await asyncio.sleep(0.3)


@pytest.mark.slow
async def test_the_story_survives_kills(tmp_path: Path) -> None:
    """With the parts killed in turn meanwhile, the same story comes to the same end."""
    deaths: list[str] = []
    async with running(tmp_path / "home") as system:
        found = drawn(system.settings.home / "store" / "profile-photos")
        token = await issued(system.settings, "Ada", Role.ADMIN)
        async with cast(system.url, token) as players:
            story = Story(Show(on_stderr=True), players, found)
            killing = asyncio.create_task(_kill_in_turn(system, deaths))
            try:
                await story.prepare()
                await story.ask()
                await story.decide()
                await delivery.export(story)
            finally:
                killing.cancel()
            await system.ready()
            await delivery.package(story)
            await story.reaches("delivered")
    assert len(deaths) >= 2  # the story was still being told when these died
    assert story.export["excluded"] == story.expected
