"""Languages, as BCP 47 (RFC 5646) writes them: `en`, `pt-BR`, `zh-Hant-HK`."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from api.fields import LongText

_TAG = re.compile(
    r"""(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})
    (?:-(?P<script>[a-z]{4}))?
    (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
    (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
    (?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*
    (?:-x(?:-[a-z0-9]{1,8})+)?\Z""",
    re.VERBOSE,
)

_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def language_tag(value: str) -> str:
    """The tag in the usual letters (`pt-br` is `pt-BR`); raises ValueError for anything else."""
    tag = value.lower()
    found = _TAG.match(tag)
    if found is None:
        raise ValueError("must be a language tag of BCP 47, such as 'en' or 'pt-BR'.")
    for part, spelt in (("script", str.title), ("region", str.upper)):
        start, end = found.span(part)
        tag = tag if start < 0 else tag[:start] + spelt(tag[start:end]) + tag[end:]
    return tag


Language = Annotated[str, StringConstraints(max_length=100), AfterValidator(language_tag)]


def _once_each(value: Any) -> Any:
    """Letters' size does not tell languages apart, so `en` beside `EN` would be lost in silence."""
    if isinstance(value, dict):
        told = Counter(str(tag).lower() for tag in value)
        if twice := [tag for tag, count in told.items() if count > 1]:
            raise ValueError(f"must name each language once: {', '.join(twice)} is there twice.")
    return value


Texts = Annotated[
    dict[Language, LongText],
    Field(default_factory=dict, max_length=100),
    BeforeValidator(_once_each),
]


def accepted(header: str | None) -> list[str]:
    """The languages of an `Accept-Language` header, the most wanted first; what is none is left
    out."""
    wanted = []
    for part in (header or "")[:1000].split(","):
        tag, _, quality = part.partition(";")
        weight = _QUALITY.fullmatch(quality.replace(" ", "")) if quality else None
        if _TAG.match(tag.strip().lower()) and (weight is not None or not quality):
            wanted.append((-float(weight[1]) if weight else -1.0, language_tag(tag.strip())))
    return [tag for weight, tag in sorted(wanted, key=lambda one: one[0]) if weight < 0]


def best(wanted: Sequence[str], there: Collection[str], otherwise: str) -> str:
    """The first wanted language that is there, cut short part by part (RFC 4647, 3.4)."""
    for tag in wanted:
        while tag:
            if tag in there:
                return tag
            tag = tag.rpartition("-")[0]
    return otherwise
