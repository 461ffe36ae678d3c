"""`clearance consent import`: sends a file of consent events, and says which lines were refused."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.commands.consent_batches import Batch, Refusal, batches
from api.commands.consent_file import length, lines
from api.commands.telling import Calling, err, out, show_json
from api.http_client import Api

CALLING = Calling()
MANY = 20  # more refused lines than this go into a file too


@dataclass(slots=True)
class Report:
    """What became of the file: how many events were accepted, how many were known already, which
    lines were refused, and the ledger's end."""

    accepted: int = 0
    known: int = 0
    refused: list[Refusal] = field(default_factory=list)
    position: int | None = None

    def add(self, batch: Batch, answer: dict[str, Any]) -> None:
        """What became of one batch. The API counts lines from 1 within a call; the reader counts
        them in the file."""
        self.accepted += answer["accepted"]
        self.known += answer.get("known", 0)
        self.position = answer.get("position", self.position)
        late = [
            {"line": batch.numbers[one["line"] - 1], "reason": one["reason"]}
            for one in answer["refused"]
        ]
        self.refused += sorted((*batch.refused, *late), key=lambda one: int(one["line"]))


async def import_(file: Path, /, *, calling: Calling = CALLING) -> int:
    """Import consent events. Exit 1 if a line was refused; the others are in all the same.

    An import that was broken off is simply started again: what is in is known, and not taken twice.

    Parameters
    ----------
    file
        NDJSON, CSV with a heading, or Parquet; columns as in POST /v1/consents.
    """
    report, every = Report(), batches(lines(file))
    async with calling.api() as api:
        with _bar(calling.json) as progress:
            task = progress.add_task(file.name, total=length(file), events=0, rate=0)
            await _send_all(api, every, report, _Moved(progress, task))
    kept = _kept(file, report.refused)
    if calling.json:
        show_json(
            {
                "accepted": report.accepted,
                "known": report.known,
                "refused": report.refused,
                "position": report.position,
                **({"refused_file": str(kept)} if kept else {}),
            }
        )
    else:
        _tell(report, kept)
    return 1 if report.refused else 0


@dataclass(slots=True)
class _Moved:
    """Moves the bar: how far into the file, how many lines, how many a second."""

    progress: Progress
    task: TaskID
    events: int = 0
    began: float = field(default_factory=monotonic)

    def on(self, batch: Batch) -> None:
        self.events += len(batch.events) + len(batch.refused)
        rate = self.events / max(monotonic() - self.began, 0.001)
        self.progress.update(self.task, completed=batch.reached, events=self.events, rate=rate)


async def _send_all(api: Api, every: Iterator[Batch], report: Report, moved: _Moved) -> None:
    """One call after the other; while one is under way the next is read."""
    batch = next(every, None)
    try:
        while batch is not None:
            answer = asyncio.create_task(_send(api, batch))
            try:
                following = await asyncio.to_thread(next, every, None)
            finally:
                report.add(batch, await answer)
            moved.on(batch)
            batch = following
    except BaseException:
        if report.accepted or report.known:
            err().print(
                f"Broken off: {report.accepted:,} accepted, {report.known:,} known so far. Import "
                "the same file again: what is in is known, and not taken twice."
            )
        raise


async def _send(api: Api, batch: Batch) -> dict[str, Any]:
    if not batch.events:
        return {"accepted": 0, "refused": []}
    answer: dict[str, Any] = await api.post_lines("/v1/consents", batch.events)
    return answer


def _kept(file: Path, refused: list[Refusal]) -> Path | None:
    """Where refused lines are, if there are many of them: beside the file, one JSON object each."""
    if len(refused) <= MANY:
        return None
    import json

    path = file.with_name(f"{file.name}.refused.ndjson")
    try:
        with path.open("w", encoding="utf-8") as kept:
            kept.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in refused)
    except OSError as problem:
        err().print(f"{path}: {problem.strerror}", style="red", markup=False)
        return None
    return path


def _tell(report: Report, kept: Path | None) -> None:
    console = out()
    shown = report.refused[:MANY] if kept else report.refused
    for refused in shown:
        console.print(f"line {refused['line']}: {refused['reason']}", markup=False)
    if kept:
        console.print(f"... all {len(report.refused):,} are in {kept}", markup=False)
    console.print(
        f"{report.accepted:,} accepted, {report.known:,} known already, "
        f"{len(report.refused):,} refused."
    )


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
