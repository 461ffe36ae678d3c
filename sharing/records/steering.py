"""How people steer an export that is under way: pause, resume, limit.

A pause stands beside the export's state and takes nothing away from it: what awaited confirmation
still does, what was running goes on where it was, and who looks only at the state sees an export
that is not over yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from sharing.errors import NotYet, Refused
from sharing.records import exports, pulses
from sharing.records.exports import Export
from sharing.stages import LIVE_EXPORTS, ExportState

LOOKED_AGAIN_MOST = 15.0  # seconds


def demand_live(export: Export, *, released: bool) -> None:
    """Raises Refused where there is nothing left to steer."""
    if released:
        raise Refused("wrong_state", "The export was released already: its bytes count as gone.")
    if export.state not in LIVE_EXPORTS:
        raise Refused("wrong_state", f"The export is {export.state} already.")


def demand_not_paused(export: Export, at: datetime) -> None:
    """Raises NotYet while an export is paused: it is looked at again soon, and less often the
    longer it takes."""
    if export.paused_at is not None:
        waited = (at - export.paused_at).total_seconds()
        raise NotYet(
            "export_paused",
            "The export is paused: an engineer resumes it.",
            min(max(1.0, waited / 20), LOOKED_AGAIN_MOST),
        )


def pause(export: Export, by: str, at: datetime) -> bool:
    """From this commit on nothing of it is released, and no shard is begun. False: it was so."""
    if export.paused_at is not None:
        return False
    export.paused_at, export.paused_by = at, by
    return True


def resume(export: Export, at: datetime) -> bool:
    """It goes on. False: it was not paused. Both moments are those of the orders, so that one that
    was kept from before the pause does not end it."""
    if export.paused_at is None:
        return False
    if at <= export.paused_at:
        raise Refused("stale_order", "The export was paused after this was ordered.")
    export.paused_seconds += max(0.0, (at - export.paused_at).total_seconds())
    export.paused_at = export.paused_by = None
    return True


def limit(export: Export, bytes_per_second: int | None) -> bool:
    """At most so many bytes a second from now on; None: no limit of its own. False: it was so."""
    if export.limit_bytes_per_second == bytes_per_second:
        return False
    export.limit_bytes_per_second = bytes_per_second
    return True


@dataclass(frozen=True, slots=True)
class Steered:
    """What a worker needs to know each second. `wanted`: shards of it are to be made. `limit`:
    bytes a second, shared by so many `workers`."""

    wanted: bool
    limit: int | None
    workers: int = 1


def steered(session: Session, export_id: str) -> Steered:
    """How an export is steered now."""
    export = exports.get(session, export_id)
    wanted = export.state == ExportState.RUNNING and export.paused_at is None
    limit = export.limit_bytes_per_second
    return Steered(wanted, limit, pulses.workers(session, export_id) if limit else 1)


def all_steered(session: Session, export_ids: Iterable[str]) -> dict[str, Steered]:
    """How each of these exports is steered now."""
    return {export_id: steered(session, export_id) for export_id in export_ids}
