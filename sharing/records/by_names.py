"""Lists in the order of names, whatever their letters' size: the order, a place in it, a search.
The database makes letters small on both sides, for not every database does so with every letter."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col


def order(name: Any, key: Any, *, by_name: bool) -> tuple[Any, ...]:
    """By name and, among the same names, by id; or by id alone."""
    return (func.lower(name), col(key)) if by_name else (col(key),)


def behind(name: Any, key: Any, after: Sequence[str], *, by_name: bool) -> ColumnElement[bool]:
    """True behind a place in that order: a name and an id, or an id alone."""
    if not by_name:
        return col(key) > after[0]
    own, theirs = func.lower(name), func.lower(after[0])
    return or_(own > theirs, (own == theirs) & (col(key) > after[1]))


def called(name: Any, search: str) -> ColumnElement[bool]:
    """True of a name with this in it."""
    small = func.lower(name).contains(search.lower(), autoescape=True)
    return or_(small, col(name).contains(search, autoescape=True))
