"""Kinds of fields that bodies are made of. Every refusal says what would be accepted."""

import re
from datetime import date
from typing import Annotated, Any

import pyrage
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
)

from sharing.addresses import folded
from sharing.fields import Body, CategoryTerm, Flag, Line, PurposeTerm, line, text

__all__ = ["AgeRecipient", "Body", "BytesPerSecond", "CategoryTerm", "Day", "Email", "Flag",
           "Lei", "Line", "LongText", "Prose", "PurposeTerm", "Share", "count",
           "line", "text"]  # fmt: skip

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}\Z")


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
    address = folded(value)
    if address is None:
        raise ValueError("has a letter that would be taken for another: write it in plain letters.")
    return address


def _from_text(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 10:
        raise ValueError("must be a date such as 2024-05-31.")
    return value


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
Share = Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)]
BytesPerSecond = Annotated[int, Field(strict=True, ge=1024, le=10**12)]


def count(lowest: int, highest: int) -> Any:
    """A whole number between the two, both included; `5.0` and `"5"` are not whole numbers."""
    return Field(strict=True, ge=lowest, le=highest)
