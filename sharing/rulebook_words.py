"""What differs between what two policies ask of one request, in words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sharing.rulebook import Asked, GateRule
from sharing.stages import Stage

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would be asked otherwise: the key that asks for it, and what is asked now and
    then, each as it follows the verb `need`."""

    key: str
    before: str
    after: str

    def sentence(self, count: int, *, open_now: bool) -> str:
        """`3 open requests would now need two approvals ..., not one`."""
        noun = "request" if count == 1 else "requests"
        kind, verb = ("open", "would now need") if open_now else ("past", "would have needed")
        return f"{count} {kind} {noun} {verb} {self.after} (instead of: {self.before})."


def differences(before: Asked, after: Asked) -> Iterator[Difference]:
    """Everything that a request would be asked otherwise, in process order."""
    for stage, gate in after.gates.items():
        yield from _at_gate(stage, before.gates[stage], gate)
    if before.export.engineers != after.export.engineers:
        yield Difference(
            "export.engineers",
            f"{_several(before.export.engineers, 'engineer')} for the export",
            f"{_several(after.export.engineers, 'engineer')} for the export",
        )
    if before.export.cooling_off != after.export.cooling_off:
        yield Difference(
            "export.cooling_off_hours",
            f"{_hours(before.export.cooling_off)} before the trigger",
            f"{_hours(after.export.cooling_off)} before the trigger",
        )
    if before.export.canaries != after.export.canaries:
        yield Difference(
            "export.canaries",
            f"{before.export.canaries or 'no'} canaries in the export",
            f"{after.export.canaries or 'no'} canaries in the export",
        )


def _at_gate(stage: Stage, before: GateRule, after: GateRule) -> Iterator[Difference]:
    had = {need.role: need.approvals for need in before.needs}
    have = {need.role: need.approvals for need in after.needs}
    for role in sorted({*had, *have}):
        if had.get(role, 0) != have.get(role, 0):
            yield Difference(
                f"{stage}.approvals.{role}",
                f"{_several(had.get(role, 0), f'{role} approval')} at {stage}",
                f"{_several(have.get(role, 0), f'{role} approval')} at {stage}",
            )
    if before.blind != after.blind:
        yield Difference(f"{stage}.blind", _blind(before, stage), _blind(after, stage))
    if before.cooling_off != after.cooling_off:
        yield Difference(
            f"{stage}.cooling_off_hours",
            f"{_hours(before.cooling_off)} before an approval at {stage}",
            f"{_hours(after.cooling_off)} before an approval at {stage}",
        )
    if before.days != after.days:
        yield Difference(f"{stage}.days", _days(before, stage), _days(after, stage))


def _several(count: int, noun: str) -> str:
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{number} {noun}{'' if count == 1 else 's'}"


def _hours(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours:g} hours" if hours else "no time"


def _blind(gate: GateRule, stage: Stage) -> str:
    return f"first opinions that are {'hidden' if gate.blind else 'open to all'} at {stage}"


def _days(gate: GateRule, stage: Stage) -> str:
    days = "the settings' deadline" if gate.days is None else f"{gate.days:g} days"
    return f"an outcome within {days} at {stage}"
