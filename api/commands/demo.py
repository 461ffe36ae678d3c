"""`clearance demo`: the whole story on one machine, live, in half a minute."""

import asyncio
import tempfile
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from api.commands.telling import show_json
from api.demo.show import Show
from api.http_client import ApiProblem
from api.told import Told, WrongUsage
from sharing.stages import Role

if TYPE_CHECKING:
    from api.demo.photos import Album
    from api.up import System

OPENING = (
    "In 2014 a dating site handed its users' photos to a company that trains face models. Nobody "
    "had reviewed the purpose, nobody had asked the users, and people inside held shares in the "
    "company. Here is that request once more, with four gates in between."
)


def demo(
    *,
    photos: Path | None = None,
    home: Path | None = None,
    story: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """The whole story on real photos, over real HTTP and a real Temporal server.

    Parameters
    ----------
    photos
        A folder of photos to use; it is only read. Without it, portraits are drawn.
    home
        A new folder for everything that is made; without it, one among the temporary files.
    story
        Begin with the request as it came in 2014, which is stopped at each gate in turn.
    json
        End with one line of JSON on stdout; the story itself goes to stderr.
    """
    begun, where, show = time.monotonic(), _home(home, photos), Show(on_stderr=json)
    result: dict[str, Any] = {"ok": False, "refused": []}
    try:
        asyncio.run(_lived(show, where, photos, result, story=story))
        result["ok"] = True
    except (Told, ApiProblem) as problem:
        result["error"] = str(problem)
        show.failed(str(problem))
        show.note(f"What each part said is in {where / 'logs'}.")
    result["seconds"] = round(time.monotonic() - begun, 1)
    if result["ok"]:
        _goodbye(show, where, result)
    if json:
        show_json(result)
    return 0 if result["ok"] else 1


async def _lived(
    show: Show, home: Path, photos: Path | None, result: dict[str, Any], *, story: bool
) -> None:
    """Starts everything, makes the photos meanwhile, and plays the story."""
    from api.up import running

    show.opening("Clearance", OPENING)
    show.section("Everything on this machine")
    begun = time.monotonic()
    _load()
    making = asyncio.create_task(asyncio.to_thread(_album, home, photos))
    with show.doing("Starting Temporal, two workers and the API") as waiting:
        async with running(home, say=show.failed) as system:
            waiting.over()
            show.done(
                f"Temporal, two workers and the API run at {system.url}",
                f"{time.monotonic() - begun:.1f} s",
            )
            with show.doing("Drawing portraits" if photos is None else "Copying the photos"):
                album = await making
            await _played(show, system, album, result, story=story)


async def _played(
    show: Show, system: "System", album: "Album", result: dict[str, Any], *, story: bool
) -> None:
    """The story over HTTP; `result` is filled in as it goes."""
    from api.commands.token import issued
    from api.demo import delivery
    from api.demo.cast import cast
    from api.demo.story import Story
    from api.demo.story_2014 import Story2014

    token = await issued(system.settings, "Grace Mbeki", Role.ADMIN)
    async with cast(system.url, token, founder=story) as players:
        told = Story2014(show, players, album) if story else Story(show, players, album)
        try:
            await told.prepare()
            if isinstance(told, Story2014):
                await told.stopped()
            await told.ask()
            await told.decide()
            await delivery.export(told)
            package, key = await delivery.package(told)
            await told.reaches("delivered")
        finally:
            result["request"], result["state"] = told.request.get("id"), told.request.get("state")
            result["refused"] = [code for code, _ in told.refused]
    progress = told.export["progress"]
    result |= {"objects": progress["objects"], "bytes": progress["bytes"]}
    result |= {"excluded": told.export["excluded"], "package": str(package)}
    result |= {"key": key, "verified": True}
    show.section("Refused, for good reasons")
    show.listed(told.refused)


def _load() -> None:
    """Here and not in the thread that needs it: two threads that load libraries at the same time
    can meet in the middle of one, and the one that comes second finds it half there."""
    import api.demo.photos
    import api.demo.portraits  # noqa: F401


def _album(home: Path, photos: Path | None) -> "Album":
    from api.demo.photos import copied, drawn
    from api.demo.story import DATASET

    folder = home / "store" / DATASET
    folder.mkdir(parents=True)
    return drawn(folder) if photos is None else copied(photos, folder)


def _goodbye(show: Show, home: Path, result: dict[str, Any]) -> None:
    show.section("From here", f"all of this took {result['seconds']:.0f} seconds")
    package = quote(result["package"])
    show.facts(
        {
            "verify again": f"clearance verify {package} --key {result['key']}",
            "look around": f"clearance up --home {quote(str(home))}",
        }
    )


def _home(home: Path | None, photos: Path | None) -> Path:
    """A new, empty folder; never one inside the person's own photos."""
    if home is None:
        return Path(tempfile.mkdtemp(prefix="clearance-demo-")).resolve()
    home = home.expanduser().resolve()
    if photos is not None and home.is_relative_to(photos.expanduser().resolve()):
        raise WrongUsage(f"{home} is inside {photos}, which is only read. Give another --home.")
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise WrongUsage(
            f"{home} is not empty, but the demo begins with nothing. Give a new folder."
        )
    home.mkdir(parents=True, exist_ok=True)
    return home
