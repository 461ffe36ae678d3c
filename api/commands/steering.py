"""`clearance export ...` before an export and while it is under way: dry run, pause, limit."""

from api.commands.export import CALLING, told
from api.commands.telling import Calling, out, show_json
from api.http_client import Json


async def pause(export: str, /, *, calling: Calling = CALLING) -> int:
    """Hold an export up: no shard is begun, and nothing of it is released.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return told(await api.post(f"/v1/exports/{export}/pause", {}), calling)


async def resume(export: str, /, *, calling: Calling = CALLING) -> int:
    """Let a paused export go on where it was.

    Parameters
    ----------
    export
        The export's id.
    """
    async with calling.api() as api:
        return told(await api.post(f"/v1/exports/{export}/resume", {}), calling)


async def limit(
    export: str, bytes_per_second: int | None = None, /, *, calling: Calling = CALLING
) -> int:
    """Change how many bytes a second an export moves.

    Parameters
    ----------
    export
        The export's id.
    bytes_per_second
        At least 1024; without it, the export has no limit of its own any more.
    """
    async with calling.api() as api:
        wanted = {"limit_bytes_per_second": bytes_per_second}
        return told(await api.post(f"/v1/exports/{export}/limit", wanted), calling)


async def dry_run(request_id: str, /, *, calling: Calling = CALLING) -> int:
    """Count what an export would come to now: objects, exclusions, bytes, room, time.

    Parameters
    ----------
    request_id
        The request's id.
    """
    async with calling.api() as api:
        found = await api.post(f"/v1/requests/{request_id}/exports/dry-run", {})
    if calling.json:
        show_json(found)
        return 0
    for line in _lines(found):
        out().print(line, markup=False)
    return 0


def _lines(found: Json) -> list[str]:
    unknown = "unknown: no export has been measured here yet"
    free, seconds = found["free_bytes"], found["seconds"]
    return [
        f"{found['objects']:,} objects, {found['bytes']:,} bytes in {found['shards']:,} shards",
        f"{found['covered_objects']:,} objects of {found['covered_subjects']:,} people would go",
        *(f"{count:,} would not: {why}" for why, count in sorted(found["excluded"].items())),
        f"room: {found['needs_bytes']:,} bytes are needed, "
        + ("the destination has no limit" if free is None else f"{free:,} are free")
        + f", {found['promised_bytes']:,} of them for others",
        "time: " + (unknown if seconds is None else f"about {max(1, round(seconds)):,} s"),
        *([f"{found['obstacle']}: {found['detail']}"] if found["obstacle"] else []),
    ]
