"""What a dry run of an export finds. A value: workflow code imports this."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DryRun:
    """`objects` and `bytes` are in scope; `covered_*` would go by the consent of now, and
    `excluded` would not. `free_bytes` is None where the destination has no such notion;
    `objects_per_second` and `seconds` where no recent export tells. `obstacle`: the code of what
    keeps an engineer from triggering it now, if anything does."""

    objects: int
    bytes: int
    covered_objects: int
    covered_subjects: int
    excluded: Mapping[str, int]
    consent_position: int
    shards: int
    needs_bytes: int
    free_bytes: int | None
    promised_bytes: int
    enough_room: bool
    objects_per_second: float | None
    seconds: float | None
    obstacle: str | None
    detail: str | None
