"""Which part of a file a call asks for (RFC 9110): one range; more than one is answered whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from api.problems import problem

_ONE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.IGNORECASE)
_LONGEST = 20  # digits


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes from `start` up to `end`, which is not included. `partial`: asked for by `Range`."""

    start: int
    end: int
    partial: bool


def asked(headers: Mapping[str, str], size: int, tag: str | None) -> Range | None:
    """The part of a file of `size` bytes that these headers ask for; None where it has no such
    part. `tag` is the file's, for `If-Range`: what has changed is sent whole."""
    whole = Range(0, size, partial=False)
    found = _ONE.fullmatch(headers.get("range", ""))
    if found is None or max(map(len, found.groups())) > _LONGEST:
        return whole
    if "if-range" in headers and (tag is None or headers["if-range"].strip() != tag):
        return whole
    first, last = found.groups()
    if not first and not last:
        return whole
    if not first:
        length = min(int(last), size)
        return Range(size - length, size, partial=True) if length else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return whole
    return Range(start, end, partial=True) if start < size else None


def no_such_part(size: int) -> Response:
    """The refusal of a part that a file of `size` bytes does not have."""
    return problem(
        "range_not_satisfiable",
        f"The file has {size} bytes: ask for a part of those, or send no `Range`.",
        headers={"Content-Range": f"bytes */{size}", "X-Content-Type-Options": "nosniff"},
    )
