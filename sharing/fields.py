"""Kinds of fields that hold text and terms, as all that comes from outside is made of them. Every
refusal says what would be accepted."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, StringConstraints

from sharing.vocabulary import CATEGORIES, PURPOSES, RECIPIENTS, Term

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]")


class Body(BaseModel):
    """A body: a field that is not named here is refused, with the closest one that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def text(value: str) -> str:
    """Text without control characters; raises ValueError for anything else."""
    if not value.isprintable() and _NOT_TEXT.search(value):
        raise ValueError("must not contain control characters.")
    return value


def line(value: str) -> str:
    """One line of text; raises ValueError for anything else."""
    if value.isprintable():  # says more, and in a tenth of the time
        return value
    if _BREAKS.search(value):
        raise ValueError("must be one line.")
    return text(value)


def _term(vocabulary: Mapping[str, Term]) -> AfterValidator:
    def known(value: str) -> str:
        if value not in vocabulary:
            raise ValueError(f"{value!r} is not known. Use one of {', '.join(vocabulary)}.")
        return value

    return AfterValidator(known)


Flag = StrictBool
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(line),
]
PurposeTerm = Annotated[str, _term(PURPOSES)]
CategoryTerm = Annotated[str, _term(CATEGORIES)]
RecipientClass = Annotated[str, _term(RECIPIENTS)]
