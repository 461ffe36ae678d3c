"""Kinds of fields that hold text and terms, as all that comes from outside is made of them. Every
refusal says what would be accepted."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, StringConstraints

from sharing.vocabulary import CATEGORIES, PURPOSES, RECIPIENTS, Term

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What turns the order of letters around, so that a text reads as another than it is.
_TURNED = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# What nobody sees, so that two names that differ look the same.
_UNSEEN = re.compile(
    r"[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2065\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
)
_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]")


class Body(BaseModel):
    """A body: a field that is not named here is refused, with the closest one that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def text(value: str) -> str:
    """Text without control characters; raises ValueError for anything else."""
    if not value.isprintable():
        if _NOT_TEXT.search(value):
            raise ValueError("must not contain control characters.")
        if _TURNED.search(value):
            raise ValueError("must not contain signs that turn the order of letters around.")
    return value


def line(value: str) -> str:
    """One line of text; raises ValueError for anything else."""
    if value.isprintable():  # says more, and in a tenth of the time
        return value
    if _BREAKS.search(value):
        raise ValueError("must be one line.")
    return text(value)


def seen(value: str) -> str:
    """Text of which every letter can be seen; raises ValueError for anything else."""
    if not value.isascii() and _UNSEEN.search(value):
        raise ValueError("must not contain letters that nobody can see.")
    return value


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
    AfterValidator(seen),
]
PurposeTerm = Annotated[str, _term(PURPOSES)]
CategoryTerm = Annotated[str, _term(CATEGORIES)]
RecipientClass = Annotated[str, _term(RECIPIENTS)]
