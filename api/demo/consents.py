"""What the people in the photos said: most of them yes, and each way of not having said it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.demo.photos import Album, Photo
from sharing.stages import Exclusion

PURPOSE, CATEGORY = "ai:ModelTraining", "pd:Picture"
NOTICE, VERSION, OLD_VERSION = "profile-photo-notice", "2014-03", "2011-06"

Event = dict[str, Any]


def said(subject: str, partner: str, **otherwise: object) -> Event:
    """One consent event: an explicit yes to exactly this, except where told otherwise."""
    return {
        "subject": subject,
        "purpose": PURPOSE,
        "category": CATEGORY,
        "recipient": partner,
        "action": "given",
        "explicit": True,
        "notice": NOTICE,
        "notice_version": VERSION,
        "at": "2014-04-02T09:30:00Z",
        "jurisdiction": "EU",
        "source": "app-settings",
        **otherwise,
    }


def _otherwise(reason: Exclusion, subject: str, partner: str, earlier: str) -> list[Event]:
    """What is in the ledger for somebody who is to be left out for that reason."""
    match reason:
        case Exclusion.NEVER_ASKED:
            return []
        case Exclusion.WITHDRAWN | Exclusion.REVOKED | Exclusion.INVALIDATED:
            later = said(subject, partner, action=reason.value, at="2014-05-20T18:05:00Z")
            return [said(subject, partner), later]
        case Exclusion.WRONG_RECIPIENT:
            return [said(subject, earlier)]
    return [said(subject, partner, **INSTEAD[reason])]


# What those events say in place of an explicit yes to exactly this.
INSTEAD: Mapping[Exclusion, Mapping[str, object]] = {
    Exclusion.REFUSED: {"action": "refused"},
    Exclusion.EXPIRED: {"valid_until": "2014-06-30T00:00:00Z"},
    Exclusion.WRONG_PURPOSE: {"purpose": "dpv:ServiceProvision"},
    Exclusion.NOT_EXPLICIT: {"explicit": False},
    Exclusion.WRONG_CATEGORY: {"category": "pd:Interest"},
    Exclusion.OLD_NOTICE: {"notice_version": OLD_VERSION},
    Exclusion.JURISDICTION: {"jurisdiction": None},
}

REASONS = (
    Exclusion.NEVER_ASKED,
    Exclusion.WITHDRAWN,
    Exclusion.WRONG_RECIPIENT,
    *INSTEAD,
    Exclusion.REVOKED,
    Exclusion.INVALIDATED,
)

MEANINGS: Mapping[str, str] = {
    Exclusion.NEVER_ASKED: "nobody ever asked them",
    Exclusion.REFUSED: "they were asked and said no",
    Exclusion.WITHDRAWN: "they said yes, and later took it back",
    Exclusion.REVOKED: "they said yes, and somebody in charge ended it",
    Exclusion.INVALIDATED: "their yes was found to be worth nothing",
    Exclusion.EXPIRED: "their yes was for a time that is over",
    Exclusion.WRONG_PURPOSE: "their yes was to something else than training models",
    Exclusion.WRONG_CATEGORY: "their yes was about other data than photos",
    Exclusion.WRONG_RECIPIENT: "their yes was to another partner",
    Exclusion.NOT_EXPLICIT: "their yes came bundled with other things",
    Exclusion.OLD_NOTICE: "the notice they read did not speak of this",
    Exclusion.JURISDICTION: "nobody knows the law of their place, or it does not allow this",
    Exclusion.UNREADABLE: "the file is damaged, so nobody can say what is in it",
}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every event, and how many photos must therefore be left out, by reason."""

    events: list[Event]
    excluded: Mapping[str, int]


def ledger(album: Album, partner: str, earlier: str) -> Ledger:
    """Explicit consent for everybody, except a few people for each reason (a third at most).

    People with a damaged photo all said yes, so that `unreadable` counts exactly those.
    """
    photos: dict[str, list[Photo]] = {}
    for photo in album.photos:
        photos.setdefault(photo.subject, []).append(photo)
    whole = [s for s in album.subjects if all(photo.readable for photo in photos[s])]
    each = max(1, len(whole) // 40)
    reasons = [reason for reason in REASONS for _ in range(each)][: len(whole) // 3]
    left_out = dict(zip(_spread(whole, len(reasons)), reasons, strict=True))
    events: list[Event] = []
    excluded: Counter[str] = Counter(unreadable=sum(not p.readable for p in album.photos))
    for subject in album.subjects:
        if subject in left_out:
            events += _otherwise(left_out[subject], subject, partner, earlier)
            excluded[left_out[subject].value] += len(photos[subject])
        else:
            events.append(said(subject, partner))
    return Ledger(events, {reason: n for reason, n in excluded.items() if n})


def _spread(people: list[str], count: int) -> list[str]:
    """`count` of them, evenly spread."""
    return [people[i * len(people) // count] for i in range(count)]
