"""What could go wrong with a request, in plain words, for somebody who has to answer for it. Pure.

It judges nothing: findings do that. It says what a yes would mean for the people in the data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sharing.rulebook import Risk as Care

YEAR = 365
MANY = 100_000
MOST = 0.5  # of a dataset's objects


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to weigh. `field`: the answer that it comes from; `grave`: it cannot be undone."""

    name: str
    field: str
    says: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the request's own answers: of the dataset, and of the partner."""

    objects: int
    special_category: bool
    care: str
    encrypted: bool
    earlier: int
    disputed: int
    to_come_back: int


def risks(body: Mapping[str, Any], known: Known) -> list[Risk]:
    """What to weigh, the gravest first."""
    found = [*_of_data(body, known), *_of_use(body), *_of_partner(body, known)]
    return sorted(found, key=lambda one: not one.grave)


def _of_data(body: Mapping[str, Any], known: Known) -> Iterator[Risk]:
    if known.special_category:
        yield Risk(
            "special_category",
            "dataset",
            "A machine can recognise people by it. Whoever's face leaks cannot get another one.",
            grave=True,
        )
    most = min(int(body["scope"]["limit"]), known.objects)
    if known.objects and most / known.objects > MOST and not body["scope"].get("where"):
        part = round(100 * most / known.objects)
        yield Risk(
            "nearly_all", "scope.limit", f"It asks for {part} % of the dataset, without a filter."
        )
    if most >= MANY:
        yield Risk(
            "many",
            "scope.limit",
            "So much cannot be looked through: a mistake reaches many people.",
        )


def _of_use(body: Mapping[str, Any]) -> Iterator[Risk]:
    if body["trains_models"]:
        yield Risk(
            "trains_models",
            "trains_models",
            "A model keeps what it has learnt. Who takes consent back later gets the photos "
            "erased, not what a model made of them.",
            grave=True,
        )
    if onward := len(body["onward_recipients"]):
        yield Risk(
            "onward",
            "onward_recipients",
            f"It goes on to {onward} other{'s' if onward > 1 else ''}. A recall has to reach "
            f"{'them' if onward > 1 else 'it'} through the partner.",
            grave=True,
        )
    if body["retention_days"] > YEAR:
        years = body["retention_days"] / YEAR
        yield Risk(
            "long",
            "retention_days",
            f"It is kept for {years:.1f} years: long enough to be forgotten.",
        )


def _of_partner(body: Mapping[str, Any], known: Known) -> Iterator[Risk]:
    if known.care == Care.HIGH:
        yield Risk("care", "partner", "An admin put this partner on record as one of high risk.")
    if known.disputed:
        yield Risk(
            "disputed", "partner", "It said of an earlier package that it received something else."
        )
    if known.to_come_back:
        people = "1 person's" if known.to_come_back == 1 else f"{known.to_come_back} people's"
        yield Risk(
            "to_come_back", "partner", f"It still has {people} data to give back from before."
        )
    if not known.earlier:
        yield Risk(
            "first", "partner", "It has received nothing from us yet: nothing shows its care."
        )
    if not known.encrypted:
        yield Risk(
            "plain",
            "partner",
            "It has no age key on record: the package is sealed, and not encrypted to it.",
        )
