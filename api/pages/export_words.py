"""The words of the engineer's console: states, steps of the pipe, causes, and what to do."""

from collections.abc import Mapping
from typing import Any

STATES: Mapping[str, str] = {
    "awaiting_confirmation": "Waits for a second yes",
    "running": "Running",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
    "failed": "Failed",
    "paused": "Paused",
    "stalled": "Stalled",
}

# The pipe in its order: what a step does, and where to look when it is the slow one.
STEPS: Mapping[str, tuple[str, str]] = {
    "select": ("Asking for consent", "The database answers slowly: look at its load."),
    "read": ("Reading photos", "The store is slow: look at its disk or its network."),
    "minimise": ("Stripping metadata", "The processor is the limit: more export workers help."),
    "hash": ("Taking digests", "The processor is the limit: more export workers help."),
    "pack": ("Packing and encrypting", "The processor or the destination is the limit."),
    "sync": ("Waiting for the disk", "The destination's disk is slow to keep what is written."),
    "commit": ("Committing shards", "The database is slow to write: look at its disk."),
    "seal": ("Sealing", "Manifests are written and signed: it grows with the number of objects."),
    "deliver": ("Delivering", "The package is put in its place: look at the destination."),
    "erase": ("Erasing what was staged", "The destination is slow to delete."),
}
COMPUTED = "processor"  # no step: the part of packing in which the processor was busy

PHASES: Mapping[str, str] = {
    "plan": "being planned",
    "shards": "packing shards",
    "release": "being sealed and released",
    "deliver": "being delivered",
}

SHARDS: Mapping[str, str] = {
    "to_come": "to come",
    "under_way": "under way",
    "stopped": "begun, not finished",
    "committed": "packed",
}

# Why an export ended without a package, and what an engineer does about it.
CURES: Mapping[str, str] = {
    "export_cancelled": "Start another one if it was a mistake.",
    "engineer_recused": "An engineer without an interest in the partner starts another one.",
    "destination_full": "Make room at the destination, then start another one.",
    "staging_quota": "Wait for the other exports under way, or raise the quota.",
    "destination_read_only": "Mount the destination writable, then start another one.",
    "destination_failed": "Check the destination's disk and rights, then start another one.",
    "source_missing": "Mount the dataset's folder, or correct its location, then start another.",
    "source_failed": "Check the store's disk and rights, then start another one.",
    "nothing_in_scope": "The partner has to revise the request.",
    "pseudonym_key_missing": "Put the partner's key back into the keyring, then start another one.",
    "seal_refused": "What was staged was changed by somebody else. Find out by whom first.",
    "superseded": "A later attempt took over. Nothing to do.",
}
LOOK = "Look at the export worker's log."

WHYS: Mapping[str, str] = {
    "role": "for an engineer",
    "same_person": "not for you: you acted on it",
    "recused": "not for you: you are recused",
    "sponsor": "not for you: you are its sponsor",
    "partner_staff": "not for a partner's people",
}

EVENTS: Mapping[str, str] = {
    "export.triggered": "Started",
    "export.confirmed": "Second yes given",
    "export.paused": "Paused",
    "export.resumed": "Goes on",
    "export.limited": "Limit changed",
    "export.cancelled": "Cancelled",
    "export.failed": "Failed",
    "export.released": "Released: from here the bytes count as gone",
    "export.delivered": "Delivered",
    "export.acknowledged": "The partner has what was released",
    "export.disputed": "The partner says that it has something else",
}

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size(count: float | None) -> str:
    """Bytes as people say them: `3.4 GB`, three digits that count."""
    if count is None:
        return "unknown"
    left, unit = float(count), 0
    while left >= 999.5 and unit < len(_UNITS) - 1:
        left, unit = left / 1000, unit + 1
    digits = 0 if unit == 0 or left >= 99.95 else 1 if left >= 9.995 else 2
    return f"{left:.{digits}f}\u00a0{_UNITS[unit]}"


def lasting(seconds: float | None) -> str:
    """A length of time in its two largest parts: `3 h 20 min`."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\u00a0s"
    minutes, seconds_left = divmod(whole, 60)
    if minutes < 60:
        return (
            f"{minutes}\u00a0min {seconds_left}\u00a0s" if minutes < 10 else f"{minutes}\u00a0min"
        )
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}\u00a0h {minutes}\u00a0min"
    return f"{hours // 24}\u00a0days {hours % 24}\u00a0h"


def spent(seconds: float) -> str:
    """Time that a step took: fractions count while it is short."""
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f}\u00a0µs"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g}\u00a0ms"
    return f"{seconds:.2f}\u00a0s" if seconds < 9.995 else lasting(seconds)


def standing(export: Mapping[str, Any]) -> str:
    """One word for how an export stands: its state, or what holds it up."""
    if export["state"] == "running":
        if export.get("paused_at"):
            return "paused"
        if export["progress"].get("stalled"):
            return "stalled"
    return str(export["state"])


def event(told: Mapping[str, Any]) -> str:
    """What happened to an export, in a line."""
    kind = str(told["type"])
    said = EVENTS.get(kind) or kind.partition(".")[2].replace("_", " ").capitalize()
    if kind == "export.limited":
        limit = told.get("bytes_per_second")
        return f"Limited to {size(limit)} a second" if limit else "Limit taken away"
    return said


def cure(code: str | None) -> str:
    """What to do about an export that ended so."""
    return CURES.get(code or "", LOOK)
