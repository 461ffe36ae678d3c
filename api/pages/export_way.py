"""The way of an export as six posts: which are passed, which is next, where it stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sharing.stages import LIVE_EXPORTS, ExportState

PASSED, OPEN, STOPPED, AHEAD = "approved", "open", "failed", "pending"


@dataclass(frozen=True, slots=True)
class Post:
    """One of them: its mark, and what is said under it; `at`: since when."""

    label: str
    mark: str
    says: str = ""
    at: datetime | None = None


def way(
    export: Mapping[str, Any], planned_at: datetime | None, name: Callable[[str], str]
) -> list[Post]:
    """From the trigger to the partner's hands."""
    shards = export["progress"]["shards"]
    packed = bool(shards["total"]) and shards["done"] == shards["total"]
    state = ExportState(export["state"])
    released = export["released_at"]
    steps: list[tuple[str, bool, str, datetime | None]] = [
        ("Started", True, f"by {name(export['triggered_by'])}", export["triggered_at"]),
        ("Second yes", *_second(export, name)),
        ("Planned", shards["total"] is not None, "", planned_at),
        (
            "Packed",
            packed,
            f"{shards['done']} of {shards['total']} shards" if shards["total"] else "",
            None,
        ),
        ("Released", released is not None, "", released),
        ("Delivered", state is ExportState.DELIVERED, "", export["ended_at"]),
    ]
    posts, first = [], True
    for label, passed, says, at in steps:
        mark = PASSED if passed else AHEAD
        if not passed and first:
            mark, first = (OPEN if state in LIVE_EXPORTS else STOPPED), False
        posts.append(
            Post(label, mark, says if passed or label == "Packed" else "", at if passed else None)
        )
    return posts


def _second(
    export: Mapping[str, Any], name: Callable[[str], str]
) -> tuple[bool, str, datetime | None]:
    if not export["needs_confirmation"]:
        return True, "not asked for", None
    by = export["confirmed_by"]
    return by is not None, f"by {name(by)}" if by else "", export["confirmed_at"]
