"""Answers that anybody may keep: for a minute, and then as long as their tag is the same."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

KEPT = "public, max-age=60"


def tagged(request: Request, answer: Response, *, light: bool = False) -> Response:
    """The same answer with a tag of its body; nothing but 304 for who has that body already.
    `light`: it may be compressed on its way, so that the tag stands for no certain bytes."""
    tag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    answer.headers["ETag"], answer.headers["Cache-Control"] = tag, KEPT
    if light:
        answer.headers["ETag"] = f"W/{tag}"
    asked = request.headers.get("if-none-match", "")
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    if not known & {tag, "*"}:
        return answer
    kept = {k: v for k, v in answer.headers.items() if not k.startswith("content-")}
    if policy := answer.headers.get("content-security-policy"):
        kept["Content-Security-Policy"] = policy
    if light:
        kept["Vary"] = "Accept-Encoding"  # as who compresses says of the whole answer
    return Response(status_code=304, headers=kept)
