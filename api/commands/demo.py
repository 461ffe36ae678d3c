"""`clearance demo`: the whole story on one machine, live, in half a minute."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from api.commands.telling import show_json
from api.demo.show import Show
from api.told import Told, WrongUsage
from sharing.stages import Role

OPENING = (
    "In 2014 a dating site handed its users' photos to a company that trains face models. Nobody "
    "had reviewed the purpose, nobody had asked the users, and people inside held shares in the "
    "company. Here is that request once more, with four gates in between."
)


def demo(
    *,
    photos: Path | None = None,
    home: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """The whole story on real photos, over real HTTP and a real Temporal server.

    Parameters
    ----------
    photos
        A folder of photos to use; it is only read. Without it, portraits are drawn.
    home
        A new folder for everything that is made; without it, one among the temporary files.
    json
        End with one line of JSON on stdout; the story itself goes to stderr.
    """
    begun, result = time.monotonic(), {"ok": False, "refused": []}
    show = Show(on_stderr=json)
    try:
        where = _home(home, photos)
        asyncio.run(_told(show, where, photos, result))
        result["ok"] = True
    except Told as problem:
        result["error"] = str(problem)
        if not json or isinstance(problem, WrongUsage):
            raise
        show.failed(str(problem))
    finally:
        result["seconds"] = round(time.monotonic() - begun, 1)
        if json:
            show_json(result)
    if not json:
        show.note(f"All of this took {result['seconds']:.0f} seconds.")
    return 0 if result["ok"] else 1


async def _told(show: Show, home: Path, photos: Path | None, result: dict[str, Any]) -> None:
    from api.demo import delivery
    from api.demo.cast import cast
    from api.demo.photos import copied, drawn
    from api.demo.story import DATASET, Story
    from api.up import running

    show.opening("Clearance", OPENING)
    show.section("Everything on this machine")
    folder = home / "store" / DATASET
    folder.mkdir(parents=True)
    make: Callable[[], Any] = (lambda: copied(photos, folder)) if photos else lambda: drawn(folder)
    preparing = asyncio.create_task(asyncio.to_thread(make))
    begun = time.monotonic()
    with show.doing("Starting Temporal, two workers and the API"):
        async with running(home, say=show.failed) as system:
            show.done(f"Temporal, two workers and the API run at {system.url}", _seconds(begun))
            with show.doing("Drawing portraits" if photos is None else "Copying the photos"):
                album = await preparing
            token = await _admin(system.settings)
            async with cast(system.url, token) as players:
                story = Story(show, players, album)
                try:
                    await story.prepare()
                    await story.ask()
                    result["request"] = story.request["id"]
                    await story.decide()
                    await delivery.export(story)
                    package, key = await delivery.package(story)
                    await story.reaches("delivered")
                finally:
                    result["refused"] = [code for code, _ in story.refused]
                    result["state"] = story.request.get("state")
                show.section("Refused, for good reasons")
                show.listed(story.refused)
                progress = story.export["progress"]
                result |= {"objects": progress["objects"], "bytes": progress["bytes"]}
                result["excluded"] = story.export["excluded"]
                result |= {"package": str(package), "key": key, "verified": True}


async def _admin(settings: Any) -> str:
    from api.commands.token import issued

    return await issued(settings, "Grace Mbeki", Role.ADMIN)


def _home(home: Path | None, photos: Path | None) -> Path:
    """A new, empty folder; never one inside the person's own photos."""
    if home is None:
        return Path(tempfile.mkdtemp(prefix="clearance-demo-")).resolve()
    home = home.expanduser().resolve()
    if photos is not None and home.is_relative_to(photos.resolve()):
        raise WrongUsage(f"{home} is inside {photos}, which is only read. Give another --home.")
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise WrongUsage(
            f"{home} is not empty, and the demo begins with nothing. Give a new folder."
        )
    home.mkdir(parents=True, exist_ok=True)
    return home


def _seconds(begun: float) -> str:
    return f"{time.monotonic() - begun:.1f} s"
