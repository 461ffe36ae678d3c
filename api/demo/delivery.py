"""The story's second half: the export, the package, and whether it can be trusted."""

import asyncio
import os
import shutil
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import Any

from api.commands.export import looked_at
from api.demo import places
from api.demo.consents import MEANINGS
from api.demo.story import PATIENCE, Story, hold
from api.http_client import Json
from sharing.keys import public_key
from sharing.stages import LIVE_EXPORTS


async def export(story: Story) -> None:
    """One engineer triggers, another confirms, and the export runs to its end."""
    show, people = story.show, story.cast.people
    show.section("Export")
    first, second = people["Priya Raman"], people["Tomasz Nowak"]
    request = story.request
    body = {"digest": request["digest"]}
    started = await first.api.post(f"/v1/requests/{request['id']}/exports", body)
    show.done(f"{first.name}, {first.title}, triggers it")
    await second.api.post(f"/v1/exports/{started['id']}/confirm", {})
    show.done(f"{second.name}, {second.title}, confirms: faces need two")
    async with asyncio.timeout(PATIENCE * 10):
        story.export = await _followed(story, started["id"])
    state = story.export["state"]
    told = f"{story.export.get('code')}: {story.export.get('detail')}"
    hold(state == "delivered", f"The export ended as {state} ({told}).")
    _counts(story)


async def _followed(story: Story, export_id: str) -> Json:
    api, path = story.cast.people["Priya Raman"].api, f"/v1/exports/{export_id}"
    with story.show.bar() as bar:
        task = bar.add_task("checking consent, stripping, hashing, sealing", total=None)
        async with aclosing(api.following(path, f"{path}/events")) as states:
            async for state in states:
                done, total = looked_at(state)
                bar.update(task, completed=done, total=total)
                if state["state"] not in LIVE_EXPORTS:
                    return state
    raise AssertionError("unreachable")


def _counts(story: Story) -> None:
    progress = story.export["progress"]
    excluded = {reason: n for reason, n in story.export["excluded"].items() if n}
    hold(excluded == story.expected, f"Excluded: {excluded}, but it must be {story.expected}.")
    total = len(story.album.photos)
    hold(
        progress["objects"] == total - sum(excluded.values()),
        f"{progress['objects']} objects were exported of {total}, {excluded} excluded.",
    )
    show = story.show
    show.done(f"{progress['objects']:,} of {total:,} photos are delivered; the rest stays here:")
    show.counts([(r.replace("_", " "), n, MEANINGS.get(r, "")) for r, n in _most(excluded)])


def _most(excluded: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(excluded.items(), key=lambda item: (-item[1], item[0]))


async def package(story: Story) -> tuple[Path, str]:
    """Verifies what was delivered, then a copy with one flipped byte; gives (folder, key)."""
    show = story.show
    show.section("The package")
    keys = await story.cast.partner.api.get("/v1/keys")
    key = next(str(k["key"]) for k in keys["keys"] if k["purpose"] == "seal")
    folder = _folder(story)
    counts = await asyncio.to_thread(_verified, folder, key)
    hold(counts is None, f"The package does not verify: {counts}")
    show.done("The seal holds: every byte is what was released, nothing missing, nothing extra")
    telling = await asyncio.to_thread(places.after, folder)
    hold(telling == 0, f"{telling} of the delivered photos tell more than their picture.")
    show.done("None of the photos in it tells any more where, when or by what it was taken")
    show.facts({"package": str(folder), "key": key})
    broken = await asyncio.to_thread(_tampered, folder, key)
    hold(broken is not None, "A package with one flipped byte was taken for whole.")
    show.refused(
        "One byte of a copy is flipped, and it is verified again", "package_broken", broken or ""
    )
    story.refused.append(("package_broken", "A package in which one byte was flipped"))
    return folder, key


def _verified(folder: Path, key: str) -> str | None:
    """None if the package holds, else what is wrong with it."""
    from sharing.export.verify import PackageBroken, verify

    try:
        verify(folder, public_key(key), None)
    except PackageBroken as broken:
        return str(broken)
    return None


def _tampered(folder: Path, key: str) -> str | None:
    """What verify says to a copy of the package in which one byte of a data file is flipped."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        copy = Path(draft) / folder.name
        shutil.copytree(folder, copy, copy_function=_linked)
        data = max((f for f in copy.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.unlink()  # the link alone: the package itself stays as it is
        data.write_bytes(content)
        return _verified(copy, key)


def _linked(source: Any, target: Any) -> None:
    """A second name for the file where the disk can do that, so that the copy costs nothing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _folder(story: Story) -> Path:
    """Where the package lies."""
    folder = Path(str(story.export["package"]).removeprefix("file://"))
    hold((folder / "manifest.json").is_file(), f"There is no package at {folder}.")
    return folder
