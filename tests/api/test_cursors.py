"""Places in a list: those that we gave go on, and all others are refused by name."""

import base64
import json
from typing import Any

import pytest

from api.answers import LAST_POSITION, last_seen
from tests.api.world import World

AFTER_ALL = 3_000_000_000  # more than four bytes hold

ODD: list[tuple[str, list[Any]]] = [
    ("/v1/events", [10**30]),
    ("/v1/events", [-1]),
    ("/v1/audit", [2**63]),
    ("/v1/people", ["a\x00b"]),
    ("/v1/people", ["\ud800"]),
    ("/v1/people", [1]),
    ("/v1/requests", ["yesterday", "req_1"]),
    ("/v1/requests", ["0001-01-01T00:00:00+14:00", "req_1"]),
]


def cursor(place: list[Any]) -> str:
    """A place in the form of our cursors."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("path", "place"), ODD)
async def test_a_cursor_that_we_never_gave_is_refused(
    shared: World, path: str, place: list[Any]
) -> None:
    """A made-up place is a problem with the field's name, whatever is in it."""
    answer = await shared.get("auditor", path, cursor=cursor(place))
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "cursor")


@pytest.mark.parametrize("path", ["/v1/people", "/v1/requests", "/v1/events", "/v1/audit"])
async def test_an_empty_place_is_none(shared: World, path: str) -> None:
    """An empty `cursor` or `limit` is as good as none at all."""
    plain = await shared.get("auditor", path)
    for asked in ({"cursor": ""}, {"limit": ""}, {"limit": "", "cursor": ""}):
        answer = await shared.get("auditor", path, **asked)
        assert (answer.status_code, answer.json()) == (200, plain.json())


async def test_the_list_of_events_ends_behind_any_place(there: World) -> None:
    """A place further on than anything that happened is an empty page."""
    for after in (AFTER_ALL, LAST_POSITION):
        answer = await there.get("auditor", "/v1/events", after=after)
        assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("header", "place"),
    [("17", 17), ("9" * 5000, 3), ("\u0663", 3), ("-1", 3), ("", 3), (None, 3)],
)
def test_a_last_event_id_that_is_none_is_passed_over(header: str | None, place: int) -> None:
    """Only a plain number that a position can be counts as the last event seen."""
    assert last_seen(header, 3) == place
