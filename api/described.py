"""What the OpenAPI document says of every route besides its own schemas: who may call it, how
callers say who they are, how a POST is made safe to repeat, and what errors look like."""

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

from sharing.stages import Role

SECURITY_SCHEMES = {"bearer": {"type": "http", "scheme": "bearer"}}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body has one effect, and the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
FIELD_ERROR = {
    "type": "object",
    "required": ["path", "message"],
    "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do, for people."},
        "code": {"type": "string", "description": "The same for programs."},
        "why": {"type": "string", "description": "With `not_eligible`: role, recused, ..."},
        "errors": {"type": "array", "items": FIELD_ERROR},
    },
}
REFUSED = {
    "description": "Refused: nothing has changed.",
    "content": {"application/problem+json": {"schema": PROBLEM}},
}


def described(
    options: dict[str, Any], endpoint: Callable[..., Any], allowed: frozenset[Role] | None
) -> None:
    """Adds to the options with which a route is made. Its summary is the endpoint's first
    sentence; without one the page at /docs would show the route's name."""
    sentence, _, _ = cleandoc(endpoint.__doc__ or "").replace("\n", " ").partition(". ")
    options["summary"] = options.get("summary") or sentence.rstrip(".")
    options["responses"] = {"4XX": REFUSED, **(options.get("responses") or {})}
    more: dict[str, Any] = {**(options.get("openapi_extra") or {})}
    if allowed is not None:
        more["security"] = [{"bearer": []}]
        more["x-roles"] = sorted(allowed)
        if "POST" in (options.get("methods") or ()):
            more["parameters"] = [*more.get("parameters", []), IDEMPOTENCY_KEY]
    options["openapi_extra"] = more
