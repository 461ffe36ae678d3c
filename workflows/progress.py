"""How far an export has come, as its workflow knows it: for the query, and for whoever looks at
the engine's own page. The database knows more, and by the second."""

from dataclasses import dataclass
from datetime import datetime

from workflows.messages import Plan, ShardDone


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


class Tally:
    """Adds up what the shards of one run came to."""

    def __init__(self) -> None:
        self._begun: datetime | None = None
        self._plan: Plan | None = None
        self._done: dict[int, ShardDone] = {}
        self.runs = 0
        self.paused = False

    def begin(self, plan: Plan, at: datetime) -> None:
        """The shards are cut, and begun."""
        self._plan, self._begun = plan, at

    def add(self, number: int, done: ShardDone | None) -> None:
        """A shard is committed; one that is made again counts once. None: by an older worker."""
        self.runs += 1
        self._done[number] = done or ShardDone()

    def at(self, at: datetime) -> RunProgress:
        """How far it is at that moment."""
        made, plan = self._done.values(), self._plan
        objects, excluded = sum(d.objects for d in made), sum(d.excluded for d in made)
        seconds = (at - self._begun).total_seconds() if self._begun else 0.0
        rate = (objects + excluded) / seconds if seconds > 0 and not self.paused else None
        total = plan.objects if plan else 0
        left = max(0, total - objects - excluded)
        return RunProgress(
            shards_done=len(made),
            shards=plan.shards if plan else None,
            objects=objects,
            bytes=sum(d.bytes for d in made),
            excluded=excluded,
            total=total,
            objects_per_second=rate,
            seconds_left=round(left / rate) if rate else None,
            paused=self.paused,
        )

    def words(self, at: datetime) -> str:
        """The same in a line."""
        now = self.at(at)
        of = f" of {now.shards}" if now.shards is not None else ""
        line = f"{now.shards_done}{of} shards, {now.objects:,} objects, {now.bytes:,} bytes"
        if now.paused:
            return f"**Paused**: {line}"
        if now.objects_per_second and now.seconds_left is not None:
            line += f", {now.objects_per_second:,.0f} a second, {now.seconds_left:,} s left"
        return line
