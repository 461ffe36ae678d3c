"""What people were promised when their data was collected, held against what is asked for now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from sharing.request import taken_within
from sharing.vocabulary import CATEGORIES, PURPOSES, covers


class Promise(StrEnum):
    """What a notice can promise besides naming its purposes."""

    NO_THIRD_PARTIES = "no_third_parties"
    NO_AI_TRAINING = "no_ai_training"
    NO_SPECIAL_CATEGORIES = "no_special_categories"
    ONLY_PURPOSES = "only_purposes"


@dataclass(frozen=True, slots=True)
class Promised:
    """One version of a notice that promised something. It was in force from the first day until
    the last one; without days nobody knows when, so that it counts for all data."""

    name: str
    version: str
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    promises: tuple[Promise, ...]
    first: date | None = None
    last: date | None = None

    def concerns(self, categories: Iterable[str]) -> bool:
        """True if it speaks of any of this data, of a wider category or of a part of it."""
        return any(
            covers(CATEGORIES, told, category) or covers(CATEGORIES, category, told)
            for category in categories
            for told in self.categories
        )

    def was_in_force(self, after: datetime | None, before: datetime | None) -> bool:
        """True if it was in force at any time from `after` until `before` (None: no bound)."""
        begun = self.first is None or before is None or _midnight(self.first) < before
        over = self.last is not None and after is not None and self.last < after.date()
        return begun and not over


def broken(
    notices: Iterable[Promised],
    body: Mapping[str, Any],
    categories: Sequence[str],
    special_category: bool,
) -> list[str]:
    """Each promise that the request goes against, as a sentence. The time of collection is that of
    the scope's filter, which is never narrower than when its objects were really taken."""
    collected = taken_within(body["scope"])
    return [
        f"{notice.name} {notice.version} promised {words}."
        for notice in notices
        if notice.concerns(categories) and notice.was_in_force(*collected)
        for words in _against(notice, body, special_category)
    ]


def _against(notice: Promised, body: Mapping[str, Any], special_category: bool) -> Iterator[str]:
    purpose = body["purpose"]
    trains = body["trains_models"] or purpose.startswith("ai:")
    if Promise.NO_THIRD_PARTIES in notice.promises:
        yield "that nobody else receives the data, and a partner asks for it"
    if Promise.NO_AI_TRAINING in notice.promises and trains:
        yield "that no models are trained with it, and this would train some"
    if Promise.NO_SPECIAL_CATEGORIES in notice.promises and special_category:
        yield "that it is not used as a special category, and this dataset is one"
    if Promise.ONLY_PURPOSES in notice.promises and not any(
        covers(PURPOSES, told, purpose) for told in notice.purposes
    ):
        yield f"that it is used for {', '.join(notice.purposes)} only, and {purpose} is not that"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
