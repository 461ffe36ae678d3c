"""Gate 2, consent verification: has this subject said yes to exactly this, and does it still hold?

One rule for every moment it is asked: at the gate, per shard, and in the release transaction.
Events are ordered by the time they happened, then by ledger position; the last relevant one wins.
See docs/consent.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sharing.collection import Method
from sharing.findings import Finding, compliant, gap, violation
from sharing.jurisdiction import Needs, Rules
from sharing.jurisdiction_file import in_force
from sharing.notice import Comparison
from sharing.purpose import NoticeTerms
from sharing.stages import Exclusion
from sharing.vocabulary import CATEGORIES, PURPOSES, RECIPIENTS, covers, overlap

ANYONE = "*"


class Action(StrEnum):
    """What happened to a consent. Only `given` lets data go, and only while nothing ended it.

    The subject gave, refused or withdrew; somebody else revoked; it was found invalid; it ran out.
    """

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"


ENDED: Mapping[Action, Exclusion] = {
    action: Exclusion(action.value) for action in Action if action is not Action.GIVEN
}


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the ledger: what one subject said, under which notice, and until when.

    `recipient` is `*` (anyone), a partner's id, or a class of the vocabulary. `jurisdiction` and
    `minor` are about the subject, and None where the event does not tell.
    """

    position: int
    subject: str
    purpose: str
    category: str
    recipient: str
    action: Action
    explicit: bool
    notice: str
    notice_version: str
    at: datetime
    valid_until: datetime | None = None
    method: str | None = None
    jurisdiction: str | None = None
    minor: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What consent is asked for: purpose, category, recipient, and whether it must be explicit.

    `recipient_class` is the partner's class in the vocabulary; None where nobody recorded one.
    """

    purpose: str
    category: str
    recipient: str
    explicit: bool
    notices: Mapping[tuple[str, str], NoticeTerms]
    recipient_class: str | None = None
    special_category: bool = False
    rules: Rules = field(default_factory=in_force)


@dataclass(frozen=True, slots=True)
class Answer:
    """`excluded` is None where consent is active; `until` is when that consent runs out."""

    excluded: Exclusion | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """What one event is worth for one question, whoever said it and whenever.

    `relevant`: it has a say. `reason`: what would exclude if it had the last one, apart from time
    and jurisdiction; None is a yes. `near`: where nothing is relevant, how close it came: 1 at
    all, 2 on purpose, 3 on purpose and category. `explicit`, `written`: how consent was expressed.
    """

    relevant: bool
    reason: Exclusion | None
    near: int
    explicit: bool
    written: bool


# By how near the nearest event came: the one thing to change that would have come closest.
MISSES: tuple[Exclusion, ...] = (
    Exclusion.NEVER_ASKED,
    Exclusion.WRONG_PURPOSE,
    Exclusion.WRONG_CATEGORY,
    Exclusion.WRONG_RECIPIENT,
)


def verify(question: Question, events: Sequence[ConsentEvent], at: datetime) -> Answer:
    """Whether one subject's `events` (any order) let the data go at time `at`, and if not why."""
    relevant = [event for event in events if _speaks_of(event, question)]
    if not relevant:
        return Answer(MISSES[max((_near(event, question) for event in events), default=0)])
    last = max(relevant, key=_order)
    place, minor = whereabouts(events)
    needs = question.rules.needs(place, question, minor)
    excluded = standing(weigh(question, last), last.valid_until, needs, at)
    return Answer(excluded, last.valid_until if excluded is None else None)


def matters(question: Question, event: ConsentEvent) -> bool:
    """False for an event that cannot end a consent that stands: it has no say in the question, and
    tells neither where its subject is nor whether a minor."""
    told = event.jurisdiction is not None or event.minor is not None
    return told or _speaks_of(event, question)


def weigh(question: Question, event: ConsentEvent) -> Weight:
    """What an event is worth for a question; its subject, times and place play no part."""
    return Weight(
        _speaks_of(event, question),
        _reason(event, question),
        _near(event, question),
        event.explicit,
        event.method == Method.WRITTEN_RELEASE,
    )


def standing(
    last: Weight, valid_until: datetime | None, needs: Needs, at: datetime
) -> Exclusion | None:
    """Why data may not go where this was the last relevant event, first things first; None if it
    may. `needs` is what the law of the subject's place asks for."""
    if last.reason in ENDED.values():
        return last.reason
    if valid_until is not None and valid_until <= at:
        return Exclusion.EXPIRED
    if last.reason is not None:
        return last.reason
    return None if meets(last, needs) else Exclusion.JURISDICTION


def meets(last: Weight, needs: Needs) -> bool:
    """True if consent was expressed as the law asks for."""
    if needs & Needs.NEVER or (needs & Needs.EXPLICIT and not last.explicit):
        return False
    return last.written or not needs & Needs.WRITTEN


def whereabouts(events: Sequence[ConsentEvent]) -> tuple[str | None, bool]:
    """Where a subject is and whether it is a minor: what the latest event says that says it."""
    by_time = sorted(events, key=_order, reverse=True)
    place = next((e.jurisdiction for e in by_time if e.jurisdiction is not None), None)
    minor = next((e.minor for e in by_time if e.minor is not None), None)
    return place, minor is True


def _order(event: ConsentEvent) -> tuple[datetime, int]:
    return event.at, event.position


def _reason(event: ConsentEvent, question: Question) -> Exclusion | None:
    if event.action is not Action.GIVEN:
        return ENDED[event.action]
    if question.explicit and not event.explicit:
        return Exclusion.NOT_EXPLICIT
    notice = question.notices.get((event.notice, event.notice_version))
    if notice is None or not notice.covers(question.purpose, question.category):
        return Exclusion.OLD_NOTICE
    return None


def _near(event: ConsentEvent, question: Question) -> int:
    if not covers(PURPOSES, event.purpose, question.purpose):
        return 1
    return 3 if covers(CATEGORIES, event.category, question.category) else 2


def _speaks_of(event: ConsentEvent, question: Question) -> bool:
    """A yes must be to all that is asked. A no to any part of it is a no to the whole: who said
    yes to research and no to model training has not said yes to all of research."""
    if event.action is Action.GIVEN:
        return (
            _yes_reaches(event.recipient, question)
            and covers(PURPOSES, event.purpose, question.purpose)
            and covers(CATEGORIES, event.category, question.category)
        )
    return (
        _no_reaches(event.recipient, question)
        and overlap(PURPOSES, event.purpose, question.purpose)
        and overlap(CATEGORIES, event.category, question.category)
    )


def _yes_reaches(recipient: str, question: Question) -> bool:
    """A yes to a class is one to partners of that class or a narrower one, known to be so."""
    if recipient in (ANYONE, question.recipient):
        return True
    known = question.recipient_class
    return known is not None and covers(RECIPIENTS, recipient, known)


def _no_reaches(recipient: str, question: Question) -> bool:
    """A no to a class is one to whoever could be in it: also to a partner of no known class."""
    if recipient in (ANYONE, question.recipient):
        return True
    if ":" not in recipient:  # another partner's id; classes have a prefix
        return False
    known = question.recipient_class
    return known is None or overlap(RECIPIENTS, recipient, known)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A scope counted: objects and subjects covered, objects excluded by reason, at a position.

    `breakdown` counts covered objects by notice version, jurisdiction and month of consent;
    `sample` holds ledger positions of evidence, drawn by `seed`; `decisions_sha256` is the digest
    of the verdict on each object, in index order.
    """

    objects: int
    subjects: int
    covered_objects: int
    covered_subjects: int
    excluded: Mapping[str, int]
    position: int
    breakdown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sample: Sequence[int] = ()
    seed: str = ""
    terms_sha256: str = ""
    decisions_sha256: str = ""
    categories: Sequence[str] = ()


def report(coverage: Coverage, undecided: Sequence[Comparison] = ()) -> list[Finding]:
    """The findings of gate 2: how much of the scope may go, and why the rest may not; and the
    `undecided` pairs of notices that some of the rest may hang on."""
    findings = [_scope(coverage), _covered(coverage), _excluded(coverage)]
    return [*findings, _compatibility(undecided)]


def _scope(coverage: Coverage) -> Finding:
    detail = f"{coverage.objects} objects of {coverage.subjects} subjects are in scope."
    if coverage.objects == 0:
        return violation("scope_size", detail + " There is nothing to share.")
    return compliant("scope_size", detail)


def _covered(coverage: Coverage) -> Finding:
    detail = (
        f"{coverage.covered_subjects} of {coverage.subjects} subjects gave consent that is active "
        f"({coverage.covered_objects} objects), at ledger position {coverage.position}."
    )
    if len(coverage.categories) > 1:
        detail += f" A yes to each of these is needed: {', '.join(coverage.categories)}."
    return (
        compliant("subjects_covered", detail)
        if coverage.covered_subjects
        else violation("subjects_covered", detail)
    )


def _excluded(coverage: Coverage) -> Finding:
    if not coverage.excluded:
        return compliant("objects_excluded", "No object is excluded.")
    counted = Counter(coverage.excluded).most_common()
    reasons = ", ".join(f"{count} {reason}" for reason, count in counted)
    return gap("objects_excluded", f"Excluded and never exported: {reasons}.")


def _compatibility(undecided: Sequence[Comparison]) -> Finding:
    if not undecided:
        return compliant("notice_compatibility", "No notice of this use waits to be compared.")
    pairs = ", ".join(f"{pair.name} {pair.older} with {pair.newer}" for pair in undecided)
    return gap(
        "notice_compatibility",
        f"Nobody decided whether these are compatible, so consents under the older do not count: "
        f"{pairs}.",
    )
