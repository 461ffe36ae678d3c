"""Lines of a file as calls: batches of events, each event with a name of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from api.commands.consent_file import Line

BATCH = 10_000  # lines a call
LARGEST = 16 << 20  # bytes a call, or little more

Refusal = dict[str, Any]  # {"line", "reason"}


@dataclass(slots=True)
class Batch:
    """What goes in one call: events as JSON with their line numbers, lines that say nothing, and
    how far into the file all of them reach."""

    events: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    reached: int = 0
    size: int = 0

    def add(self, line: Line) -> None:
        """One more line."""
        self.reached = line.reached
        text = line.event if line.event is None else named(line.number, line.event)
        if text is None:
            reason = line.reason or "holds what JSON cannot say"
            self.refused.append({"line": line.number, "reason": reason})
            return
        self.events.append(text)
        self.numbers.append(line.number)
        self.size += len(text)

    @property
    def full(self) -> bool:
        """True if the next line belongs in another call."""
        return len(self.events) + len(self.refused) >= BATCH or self.size >= LARGEST


def batches(every: Iterator[Line]) -> Iterator[Batch]:
    """All lines, in order."""
    batch = Batch()
    for line in every:
        batch.add(line)
        if batch.full:
            yield batch
            batch = Batch()
    if batch.reached:
        yield batch


def named(number: int, event: dict[str, Any]) -> str | None:
    """An event as JSON. One without a `source_id` gets one, from its line's number and content: the
    same line of the same file has the same name, however often the file is sent, and a line that
    was corrected has another. None for what cannot be JSON."""
    given = event.get("source_id")
    if given is None:
        event.pop("source_id", None)
    try:
        text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    except TypeError:
        return None
    if given is not None:
        return text
    name = f"line-{number}-{sha256(text.encode()).hexdigest()[:32]}"
    return f'{text[:-1]}{"," if event else ""}"source_id":"{name}"}}'
