"""Kinds of fields that bodies are made of. Every refusal says what would be accepted."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import pyrage
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from sharing.vocabulary import CATEGORIES, PURPOSES, Term

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"[\t\n\r\u2028\u2029]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}\Z")


class Body(BaseModel):
    """A body: a field that is not named here is refused, with the closest one that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def text(value: str) -> str:
    """Text without control characters; raises ValueError for anything else."""
    if _NOT_TEXT.search(value):
        raise ValueError("must not contain control characters.")
    return value


def line(value: str) -> str:
    """One line of text; raises ValueError for anything else."""
    if _BREAKS.search(value):
        raise ValueError("must be one line.")
    return text(value)


def _lei(value: str) -> str:
    """ISO 17442: 18 letters and digits, then two check digits, so that the whole is 1 mod 97."""
    code = value.strip().upper()
    if not _LEI.match(code):
        raise ValueError("a Legal Entity Identifier has 18 letters or digits, then two digits.")
    if int("".join(str(int(c, 36)) for c in code)) % 97 != 1:
        raise ValueError("the check digits of this Legal Entity Identifier are wrong.")
    return code


def _age(value: str) -> str:
    try:
        pyrage.x25519.Recipient.from_str(value)
    except Exception:
        raise ValueError("must be an age recipient, `age1...`, as age-keygen prints.") from None
    return value


def _email(value: str) -> str:
    if not _EMAIL.match(value):
        raise ValueError("must be an e-mail address.")
    return value.casefold()


def _from_text(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("must be a date such as 2024-05-31.")
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
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=5000),
    AfterValidator(text),
]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=500_000), AfterValidator(text)]
Lei = Annotated[str, Field(max_length=40), AfterValidator(_lei)]
AgeRecipient = Annotated[str, Field(max_length=200), AfterValidator(_age)]
Email = Annotated[Line, AfterValidator(_email)]
Day = Annotated[date, BeforeValidator(_from_text)]
PurposeTerm = Annotated[str, _term(PURPOSES)]
CategoryTerm = Annotated[str, _term(CATEGORIES)]
Share = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]


def count(lowest: int, highest: int) -> Any:
    """A whole number between the two, both included; `5.0` and `"5"` are not whole numbers."""
    return Field(strict=True, ge=lowest, le=highest)
