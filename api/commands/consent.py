"""`clearance consent import`: sends a file of consent events, and says which lines were refused."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn

from api.commands.consent_file import Line, Unusable, count, lines
from api.commands.telling import Calling, err, out, show_json
from api.http_client import Api

CALLING = Calling()
BATCH = 5000  # events a call


@dataclass(slots=True)
class Report:
    """What became of the file: how many were accepted, which were refused, the ledger's end."""

    accepted: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)  # {"line", "reason"}
    position: int | None = None


async def import_(file: Path, /, *, calling: Calling = CALLING) -> int:
    """Import consent events. Exit 1 if a line was refused; the others are in all the same.

    Parameters
    ----------
    file
        NDJSON, CSV with a heading, or Parquet; columns as in POST /v1/consents.
    """
    report, events = Report(), lines(file)
    async with calling.api() as api:
        with _bar(calling.json) as progress:
            task = progress.add_task(file.name, total=count(file))
            for batch in _batches(events):
                await _send(api, batch, report)
                progress.update(task, advance=len(batch))
    if calling.json:
        show_json(
            {"accepted": report.accepted, "refused": report.refused, "position": report.position}
        )
    else:
        console = out()
        for refused in report.refused:
            console.print(f"line {refused['line']}: {refused['reason']}", markup=False)
        console.print(f"{report.accepted:,} accepted, {len(report.refused):,} refused.")
    return 1 if report.refused else 0


async def _send(api: Api, batch: list[Line], report: Report) -> None:
    """One call. The API counts lines from 1 within a call; the reader counts them in the file."""
    numbers, events = [], []
    for number, event in batch:
        if isinstance(event, Unusable):
            report.refused.append({"line": event.line, "reason": event.reason})
        else:
            numbers.append(number)
            events.append(event)
    if events:
        answer = await api.post("/v1/consents", events)
        report.accepted += answer["accepted"]
        report.position = answer["position"]
        for refused in answer["refused"]:
            line = numbers[refused["line"] - 1]
            report.refused.append({"line": line, "reason": refused["reason"]})
    report.refused.sort(key=lambda refused: int(refused["line"]))


def _batches(every: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(every)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TextColumn("{task.completed:,} events"),
        console=err(),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
