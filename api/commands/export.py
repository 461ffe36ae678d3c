"""`clearance export ...`: trigger, confirm, watch and cancel an export."""

import sys
from contextlib import aclosing
from datetime import timedelta

from rich.progress import BarColumn, Progress, TextColumn

from api.commands.telling import Calling, err, out, show_json
from api.http_client import Api, Json
from sharing.stages import LIVE_EXPORTS, ExportState

CALLING = Calling()


async def trigger(
    request_id: str,
    /,
    *,
    digest: str | None = None,
    priority: int | None = None,
    limit: int | None = None,
    calling: Calling = CALLING,
) -> int:
    """Start the export of a cleared request.

    Parameters
    ----------
    request_id
        The request's id.
    digest
        The revision to export; without it, the one that the API shows now.
    priority
        1 goes before 5 where several exports wait for the same workers; 3 unless said.
    limit
        How many bytes a second it may move at most.
    """
    asked = {"priority": priority, "limit_bytes_per_second": limit}
    async with calling.api() as api:
        digest = digest or (await api.get(f"/v1/requests/{request_id}"))["digest"]
        body = {"digest": digest, **{k: v for k, v in asked.items() if v is not None}}
        export = await api.post(f"/v1/requests/{request_id}/exports", body)
    return told(export, calling)


async def confirm(export: str, /, *, calling: Calling = CALLING) -> int:
    """Confirm an export as the second engineer.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return told(await api.post(f"/v1/exports/{export}/confirm", {}), calling)


async def cancel(export: str, /, *, calling: Calling = CALLING) -> int:
    """Stop an export and erase what was staged.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return told(await api.post(f"/v1/exports/{export}/cancel", {}), calling)


async def show(export: str, /, *, calling: Calling = CALLING) -> int:
    """Show an export as it stands.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return told(await api.get(f"/v1/exports/{export}"), calling)


async def watch(export: str, /, *, calling: Calling = CALLING) -> int:
    """Follow an export until it ends, with a progress bar. Exit 0 if it is delivered.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        last = await followed(api, export, calling.json)
    if not calling.json:
        told(last, calling)
    return 0 if last["state"] == ExportState.DELIVERED else 1


async def followed(api: Api, export: str, as_json: bool = False) -> Json:
    """Shows an export's progress on stderr (or as JSON lines on stdout); gives its last state."""
    path, shown = f"/v1/exports/{export}", None
    state: Json = await api.get(path)
    with bar(quiet=as_json) as progress:
        task = progress.add_task(state["state"], total=None, line="")
        async with aclosing(api.following(path, f"{path}/events")) as states:
            async for state in states:
                if as_json and state != shown:
                    show_json(state)
                shown = state
                done, total = looked_at(state)
                progress.update(
                    task,
                    description=standing(state),
                    completed=done,
                    total=total,
                    line=line(state),
                )
                if state["state"] not in LIVE_EXPORTS:
                    return state
    return state


def bar(quiet: bool = False) -> Progress:
    """A calm progress bar on stderr; silent where stderr is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[line]}"),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def looked_at(export: Json) -> tuple[int, int | None]:
    """How many objects, or shards, an export has dealt with, of how many (None before it knows)."""
    progress = export.get("progress") or {}
    if progress.get("rough"):  # a partner, before the release: whole shards are all that it is told
        shards = progress.get("shards") or {}
        return shards.get("done") or 0, shards.get("total")
    under_way = (progress.get("under_way") or {}).get("objects") or 0
    done = (progress.get("objects") or 0) + (progress.get("excluded") or 0) + under_way
    total = progress.get("total") or None
    return min(done, total or done), total


def standing(export: Json) -> str:
    """An export's state in words, and what holds it up."""
    progress, words = export.get("progress") or {}, export["state"].replace("_", " ")
    if export.get("paused_at"):
        return f"{words}, paused"
    held = [name for name in ("stalled", "limited") if progress.get(name)]
    return ", ".join([words, *held])


def speed_and_left(export: Json) -> str:
    """Rate and time left, as far as anybody knows."""
    progress = export.get("progress") or {}
    objects, size = progress.get("objects_per_second"), progress.get("bytes_per_second") or 0
    if not objects:
        return ""
    left = progress.get("seconds_left")
    words = f"{objects:,.0f}/s, {size / 1e6:,.1f} MB/s"
    return words if left is None else f"{words}, {timedelta(seconds=left)} left"


def line(export: Json) -> str:
    """What stands behind the bar."""
    done, total = looked_at(export)
    rough = (export.get("progress") or {}).get("rough")
    count = f"{done:,} of {total:,}{' shards' if rough else ''}" if total else ""
    return ", ".join(part for part in (count, speed_and_left(export)) if part)


def told(export: Json, calling: Calling) -> int:
    """Shows an export; returns the exit code."""
    if calling.json:
        show_json(export)
        return 0
    progress = export.get("progress") or {}
    console = out()
    console.print(f"{export['id']}: {standing(export)}")
    if progress.get("objects") and not progress.get("rough"):
        console.print(f"{progress['objects']:,} objects, {progress.get('bytes', 0):,} bytes")
    if speed_and_left(export):
        console.print(speed_and_left(export))
    waits = export.get("waiting_for")
    if waits:
        console.print(f"waits for somebody to {waits['act']} it: {', '.join(waits['roles'])}")
    if export.get("erased"):
        gone = export["erased"]
        console.print(f"erased: {gone['files']:,} files, {gone['bytes']:,} bytes")
    if export.get("code"):
        console.print(f"{export['code']}: {export.get('detail', '')}", markup=False)
    return 0
