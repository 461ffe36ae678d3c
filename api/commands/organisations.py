"""`clearance organisations import`: sends a file of who owns whom, and names the refused lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from api.commands.organisation_file import Line, lines
from api.commands.telling import Calling, err, out, show_json
from api.http_client import Api

CALLING = Calling()
BATCH = 5_000  # lines a call
MANY = 20  # more refused lines, or warnings, than this are counted only


@dataclass(slots=True)
class Report:
    """What became of the file."""

    organisations: int = 0
    edges: int = 0
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    recused: list[dict[str, Any]] = field(default_factory=list)

    def add(self, numbers: list[int], answer: dict[str, Any]) -> None:
        """What became of one call. The API counts lines within it; the reader counts the file's."""
        self.organisations += answer["organisations"]
        self.edges += answer["edges"]
        self.known += answer["known"]
        self.refused += [
            {"line": numbers[one["line"] - 1], "reason": one["reason"]} for one in answer["refused"]
        ]
        self.warnings += [one for one in answer["warnings"] if one not in self.warnings]
        self.recused += answer["recused"]


async def import_(file: Path, /, *, source: str | None = None, calling: Calling = CALLING) -> int:
    """Import organisations and who owns whom. Exit 1 if a line was refused; the others are in.

    The same file again changes nothing, and one that was broken off is simply started again.

    Parameters
    ----------
    file
        GLEIF level 2 (relationship records) or level 1 (names) as CSV, BODS 0.4 as JSON, or NDJSON
        with an object a line as POST /v1/organisations takes it.
    source
        Under which name it is kept; `gleif` or `bods` unless given.
    """
    report = Report()
    async with calling.api() as api:
        with err().status(f"Reading {file.name}") as status:
            for batch in _batches(lines(file, source)):
                await _send(api, batch, report)
                told = f"{report.organisations:,} organisations, {report.edges:,} edges"
                status.update(f"{file.name}: {told}")
    report.refused.sort(key=lambda one: int(one["line"]))
    if calling.json:
        show_json({name: getattr(report, name) for name in Report.__slots__})
    else:
        _tell(report)
    return 1 if report.refused else 0


def _batches(every: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(every, BATCH)):
        yield batch


async def _send(api: Api, batch: list[Line], report: Report) -> None:
    report.refused += [
        {"line": one.number, "reason": one.reason} for one in batch if one.told is None
    ]
    told = [one for one in batch if one.told is not None]
    if told:
        body = [json.dumps(one.told, ensure_ascii=False) for one in told]
        answer = await api.post_lines("/v1/organisations", body)
        report.add([one.number for one in told], answer)


def _tell(report: Report) -> None:
    console = out()
    for refused in report.refused[:MANY]:
        console.print(f"line {refused['line']}: {refused['reason']}", markup=False)
    for warning in report.warnings[:MANY]:
        console.print(warning, markup=False)
    if report.recused:
        people = len({one["person"] for one in report.recused})
        console.print(f"{people:,} people are recused by what is known now.")
    console.print(
        f"{report.organisations:,} new organisations, {report.edges:,} edges new or changed, "
        f"{report.known:,} known already, {len(report.refused):,} refused, "
        f"{len(report.warnings):,} warnings."
    )
