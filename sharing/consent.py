"""Gate 2, consent verification: has this subject said yes to exactly this, and does it still hold?

One rule for every moment it is asked: at the gate, per shard, and in the release transaction.
Events are ordered by the time they happened, then by ledger position; the last relevant one wins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sharing.findings import Finding, compliant, gap, violation
from sharing.notice import Comparison
from sharing.purpose import CATEGORIES, PURPOSES, NoticeTerms, Term, covers
from sharing.stages import Exclusion

ANYONE = "*"


class Action(StrEnum):
    """What a subject did. Only `given` lets data go, and only while nothing ended it."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the ledger: what one subject said, under which notice, and until when."""

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


@dataclass(frozen=True, slots=True)
class Question:
    """What consent is asked for: purpose, category, recipient, and whether it must be explicit."""

    purpose: str
    category: str
    recipient: str
    explicit: bool
    notices: Mapping[tuple[str, str], NoticeTerms]


@dataclass(frozen=True, slots=True)
class Answer:
    """`excluded` is None where consent is active; `until` is when that consent runs out."""

    excluded: Exclusion | None
    until: datetime | None = None


def verify(question: Question, events: Sequence[ConsentEvent], at: datetime) -> Answer:
    """Whether one subject's `events` (any order) let the data go at time `at`, and if not why."""
    if not events:
        return Answer(Exclusion.NEVER_ASKED)
    relevant = [event for event in events if _speaks_of(event, question)]
    if not relevant:
        return Answer(_nearest_miss(events, question))
    last = max(relevant, key=lambda event: (event.at, event.position))
    return _standing(last, question, at)


def _standing(event: ConsentEvent, question: Question, at: datetime) -> Answer:
    if event.action is Action.WITHDRAWN:
        return Answer(Exclusion.WITHDRAWN)
    if event.action is Action.REFUSED:
        return Answer(Exclusion.REFUSED)
    if event.valid_until is not None and event.valid_until <= at:
        return Answer(Exclusion.EXPIRED)
    if question.explicit and not event.explicit:
        return Answer(Exclusion.NOT_EXPLICIT)
    notice = question.notices.get((event.notice, event.notice_version))
    if notice is None or not notice.covers(question.purpose, question.category):
        return Answer(Exclusion.OLD_NOTICE)
    return Answer(None, event.valid_until)


def _speaks_of(event: ConsentEvent, question: Question) -> bool:
    """A yes must be to all that is asked. A no to any part of it is a no to the whole: who said
    yes to research and no to model training has not said yes to all of research."""
    if event.recipient not in (ANYONE, question.recipient):
        return False
    if event.action is Action.GIVEN:
        return covers(PURPOSES, event.purpose, question.purpose) and covers(
            CATEGORIES, event.category, question.category
        )
    return _overlap(PURPOSES, event.purpose, question.purpose) and _overlap(
        CATEGORIES, event.category, question.category
    )


def _overlap(vocabulary: Mapping[str, Term], one: str, other: str) -> bool:
    return covers(vocabulary, one, other) or covers(vocabulary, other, one)


def _nearest_miss(events: Iterable[ConsentEvent], question: Question) -> Exclusion:
    """The one thing to change that would have come closest: recipient, category, then purpose."""
    on_purpose = [e for e in events if covers(PURPOSES, e.purpose, question.purpose)]
    if not on_purpose:
        return Exclusion.WRONG_PURPOSE
    if any(covers(CATEGORIES, e.category, question.category) for e in on_purpose):
        return Exclusion.WRONG_RECIPIENT
    return Exclusion.WRONG_CATEGORY


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
