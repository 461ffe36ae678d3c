"""How far an export has come, as its workflow knows it: for the query, and for whoever looks at
the engine's own page. The database knows more, and by the second."""

from dataclasses import dataclass, replace
from datetime import datetime

from workflows.messages import Cursor, ShardDone


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Shards are runs that were committed, repeats included; `total` counts objects in scope."""

    shards_done: int = 0
    shards: int | None = None
    objects: int = 0
    bytes: int = 0
    excluded: int = 0
    total: int = 0
    objects_per_second: float | None = None
    seconds_left: int | None = None
    paused: bool = False


def added(at: Cursor, done: ShardDone | None) -> Cursor:
    """One more shard run is done. None: what it came to is counted already, or an older worker did
    not say."""
    so_far, new = at.made, done or ShardDone()
    made = ShardDone(
        so_far.objects + new.objects,
        so_far.bytes + new.bytes,
        so_far.excluded + new.excluded,
    )
    return replace(at, done=at.done + 1, made=made)


def progress_of(at: Cursor, now: datetime) -> RunProgress:
    """How far a run is at this moment."""
    made, plan = at.made, at.plan
    seconds = (now - datetime.fromisoformat(at.begun)).total_seconds() if at.begun else 0.0
    passed = made.objects + made.excluded
    rate = passed / seconds if seconds > 0 and not at.paused else None
    return RunProgress(
        shards_done=min(at.done, plan.shards),
        shards=plan.shards if at.begun else None,
        objects=made.objects,
        bytes=made.bytes,
        excluded=made.excluded,
        total=plan.objects,
        objects_per_second=rate,
        seconds_left=round(max(0, plan.objects - passed) / rate) if rate else None,
        paused=at.paused,
    )


def in_words(now: RunProgress) -> str:
    """The same in a line."""
    of = f" of {now.shards}" if now.shards is not None else ""
    line = f"{now.shards_done}{of} shards, {now.objects:,} objects, {now.bytes:,} bytes"
    if now.paused:
        return f"**Paused**: {line}"
    if now.objects_per_second and now.seconds_left is not None:
        line += f", {now.objects_per_second:,.0f} a second, {now.seconds_left:,} s left"
    return line
