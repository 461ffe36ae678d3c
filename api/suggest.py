"""Which field was meant: the closest name among those that stand where an unknown one was given."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel


def close_field(model: Any, path: Sequence[int | str]) -> str | None:
    """The field of `model` closest to the unknown last part of `path`; None if none is close."""
    place = _model(model)
    for part in path[:-1]:
        if place is None:
            return None
        if isinstance(part, str):
            field = next((f for n, f in place.model_fields.items() if part in (n, f.alias)), None)
            place = _model(field.annotation) if field else None
    if place is None:
        return None
    names = [field.alias or name for name, field in place.model_fields.items()]
    return next(iter(get_close_matches(str(path[-1]), names, n=1)), None)


def _model(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model in an annotation such as `list[Parent] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for part in get_args(annotation) if (m := _model(part)) is not None), None)
