"""Shares a limit of bytes a second out among the jobs that it holds for: a token bucket each for
the worker and for every export that has a limit, poured out to whoever has used what it got.

A small one of our own: libraries of this kind limit calls within one process, and not bytes that
pass in several."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BURST = 0.25  # seconds: what is not used within them is not saved up
AHEAD = 0.1  # seconds: what a job may be granted before it has used what it had


@dataclass(slots=True)
class Bucket:
    """So many bytes a second; `level` is what may pass now."""

    rate: float
    level: float = 0.0

    def fill(self, rate: float, seconds: float) -> None:
        """Time passes, at a rate that may have changed."""
        self.rate = rate
        self.level = min(self.level + rate * seconds, rate * BURST)


@dataclass(frozen=True, slots=True)
class Job:
    """A shard that is being packed: how many bytes have passed, and how many may have."""

    key: int
    export_id: str
    used: float
    granted: float


@dataclass(slots=True)
class Granting:
    """What is left to be shared out by one worker."""

    worker: Bucket | None = None
    exports: dict[str, Bucket] = field(default_factory=dict)

    def poured(
        self,
        jobs: Sequence[Job],
        worker: float | None,
        limits: Mapping[str, float],
        seconds: float,
    ) -> dict[int, float]:
        """What each job may have moved from now on, by its key, after `seconds` more; `worker` and
        `limits` are bytes a second, of all jobs together and by export."""
        self._fill(worker, limits, seconds)
        left, of_export = len(jobs), Counter(job.export_id for job in jobs)
        granted = {}
        for job in sorted(jobs, key=lambda j: j.granted - j.used):
            own = self.exports.get(job.export_id)
            shares = [
                (bucket.level / among, bucket.rate)
                for bucket, among in ((self.worker, left), (own, of_export[job.export_id]))
                if bucket is not None
            ]
            left, of_export[job.export_id] = left - 1, of_export[job.export_id] - 1
            if not shares:
                granted[job.key] = math.inf
                continue
            granted[job.key] = self._take(job, own, shares)
        return granted

    def _take(self, job: Job, own: Bucket | None, shares: Sequence[tuple[float, float]]) -> float:
        before = job.granted if math.isfinite(job.granted) else job.used  # the limit is new
        room = job.used + min(rate for _, rate in shares) * AHEAD - before
        more = max(0.0, min(room, *(share for share, _ in shares)))
        for bucket in (self.worker, own):
            if bucket is not None:
                bucket.level -= more
        return before + more

    def _fill(self, worker: float | None, limits: Mapping[str, float], seconds: float) -> None:
        self.worker = _filled(self.worker, worker, seconds)
        self.exports = {
            name: bucket
            for name, rate in limits.items()
            if (bucket := _filled(self.exports.get(name), rate, seconds)) is not None
        }


def _filled(bucket: Bucket | None, rate: float | None, seconds: float) -> Bucket | None:
    if rate is None:
        return None
    bucket = bucket or Bucket(rate)
    bucket.fill(rate, seconds)
    return bucket
