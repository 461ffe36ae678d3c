"""`clearance export ...`: trigger, confirm, watch and cancel an export."""

import sys

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from api.commands.telling import Calling, err, out, show_json
from api.http_client import Api, Json
from sharing.stages import LIVE_EXPORTS, ExportState

CALLING = Calling()


async def trigger(
    request_id: str, /, *, digest: str | None = None, calling: Calling = CALLING
) -> int:
    """Start the export of a cleared request.

    Parameters
    ----------
    request_id
        The request's id.
    digest
        The revision to export; without it, the one that the API shows now.
    """
    async with calling.api() as api:
        digest = digest or (await api.get(f"/v1/requests/{request_id}"))["digest"]
        export = await api.post(f"/v1/requests/{request_id}/exports", {"digest": digest})
    return _told(export, calling)


async def confirm(export: str, /, *, calling: Calling = CALLING) -> int:
    """Confirm an export as the second engineer.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return _told(await api.post(f"/v1/exports/{export}/confirm", {}), calling)


async def cancel(export: str, /, *, calling: Calling = CALLING) -> int:
    """Stop an export and erase what was staged.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return _told(await api.post(f"/v1/exports/{export}/cancel", {}), calling)


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
        _told(last, calling)
    return 0 if last["state"] == ExportState.DELIVERED else 1


async def followed(api: Api, export: str, as_json: bool = False) -> Json:
    """Shows an export's progress on stderr (or as JSON lines on stdout); gives its last state."""
    path, shown = f"/v1/exports/{export}", None
    state: Json = await api.get(path)
    with bar(quiet=as_json) as progress:
        task = progress.add_task(state["state"], total=None)
        async for state in api.following(path, f"{path}/events"):
            if as_json and state != shown:
                show_json(state)
            shown = state
            done, total = looked_at(state)
            progress.update(task, description=_words(state["state"]), completed=done, total=total)
            if state["state"] not in LIVE_EXPORTS:
                return state
    return state


def bar(quiet: bool = False) -> Progress:
    """A calm progress bar on stderr; silent where stderr is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}" if sys.stderr.isatty() else ""),
        TimeRemainingColumn(compact=True),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def looked_at(export: Json) -> tuple[int, int | None]:
    """How many objects an export has dealt with, and of how many (None before it knows)."""
    progress = export.get("progress") or {}
    done = (progress.get("objects") or 0) + (progress.get("excluded") or 0)
    return done, progress.get("total") or None


def _told(export: Json, calling: Calling) -> int:
    if calling.json:
        show_json(export)
        return 0
    progress = export.get("progress") or {}
    console = out()
    console.print(f"{export['id']}: {_words(export['state'])}")
    if progress.get("objects"):
        console.print(f"{progress['objects']:,} objects, {progress.get('bytes', 0):,} bytes")
    if export.get("code"):
        console.print(f"{export['code']}: {export.get('detail', '')}", markup=False)
    return 0


def _words(name: str) -> str:
    return name.replace("_", " ")
