"""A snapshot gives every object the answer that the pure rule gives its subject."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.consent import Action, ConsentEvent, Question, verify, weigh, whereabouts
from sharing.records.ledger import micros
from sharing.snapshot import decide, tally
from sharing.snapshot import decision as deciding
from sharing.snapshot.keeper import Asked, decided
from sharing.snapshot.scope import Scope
from sharing.snapshot.selection import UNKNOWN, Filter
from sharing.snapshot.snapshot import Snapshot
from sharing.snapshot.statements import REASONS
from sharing.stages import Exclusion
from tests.sharing.snapshot.books import AT, DAY, SUBJECTS, Book, add_events, random_book
from tests.sharing.snapshot.books import random_question as any_question

EVERYTHING = Filter(None, None, 10**9)
SEEDS = st.integers(0, 2**32)
MOMENTS = st.sampled_from([AT, AT - DAY, AT + DAY, AT - timedelta(microseconds=1)])


def objects(chance: random.Random, count: int) -> Scope:
    """An index of objects whose subjects lie scattered; some subjects never said anything."""
    subject = [chance.randrange(SUBJECTS + 3) for _ in range(count)]
    taken = [chance.choice([UNKNOWN, *range(10)]) for _ in range(count)]
    return Scope(np.array(subject, np.uint32), np.array(taken, np.int64))


def asked(question: Question, moment: datetime, wanted: Filter = EVERYTHING) -> Asked:
    """A question over a filter's objects."""
    return Asked(question, "dst", 1, wanted, micros(moment))


def by_rule(
    book: Book, question: Question, subjects: list[int], moment: datetime, upto: int
) -> list[Exclusion | None]:
    """What the pure rule says of each object, by its subject's events up to a position."""
    names = {number: name for name, number in book.numbers.items()}
    answers = []
    for number in subjects:
        events = [e for e in book.events if e.subject == names.get(number) and e.position <= upto]
        answers.append(verify(question, events, moment).excluded)
    return answers


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_every_object_gets_the_answer_of_the_rule(seed: int, moment: datetime) -> None:
    """Whatever the ledger, the dataset, the question and the moment: each object's reason is the
    one that the pure rule gives, and the counts are counts of those."""
    chance = random.Random(seed)
    book, question = random_book(chance, chance.randrange(0, 90)), any_question(chance)
    snapshot, scope = Snapshot(question), objects(chance, chance.randrange(0, 40))
    book.followed(snapshot)
    decision = decided(snapshot, scope, asked(question, moment))
    expected = by_rule(book, question, scope.subject.tolist(), moment, len(book.events))
    assert list(decision.reasons()) == expected
    counted, reasons = decision.coverage(), Counter(expected)
    assert counted.covered_objects == reasons.pop(None, 0)
    assert counted.excluded == {reason.value: n for reason, n in reasons.items() if reason}
    assert counted.subjects == len(set(scope.subject.tolist()))


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_a_snapshot_that_follows_is_one_built_anew(seed: int) -> None:
    """Taken in piece by piece, with times out of order, new subjects and new statements, the
    ledger gives the same answers as taken in at once."""
    chance = random.Random(seed)
    book, question = Book(), any_question(chance)
    snapshot, scope = Snapshot(question), objects(chance, 30)
    for _ in range(chance.randrange(1, 6)):
        for _ in range(chance.randrange(1, 4)):
            add_events(chance, book, chance.randrange(1, 20))
        book.followed(snapshot)
        anew = Snapshot(question)
        book.followed(anew)
        assert (snapshot.position, snapshot.hash) == (anew.position, anew.hash)
        here = decided(snapshot, scope, asked(question, AT))
        there = decided(anew, scope, asked(question, AT))
        expected = by_rule(book, question, scope.subject.tolist(), AT, len(book.events))
        assert list(here.reasons()) == list(there.reasons()) == expected
        assert here.sha256() == there.sha256()
        assert (here.until, here.breakdown) == (there.until, there.breakdown)


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS, part=st.floats(0, 1))
def test_a_past_position_gives_the_answers_of_that_day(seed: int, part: float) -> None:
    """Taken up to any past position, within a checkpoint too, the ledger gives the answers that
    it gave then."""
    chance = random.Random(seed)
    book, question = random_book(chance, 60), any_question(chance)
    then, snapshot = int(part * len(book.events)), Snapshot(question)
    if then:
        found = [one for one in book.checkpoints if one.first <= then]
        snapshot.follow(found, book.numbered_terms(), len(book.numbers), then)
    scope = objects(chance, 30)
    decision = decided(snapshot, scope, asked(question, AT))
    assert decision.position == then
    assert list(decision.reasons()) == by_rule(book, question, scope.subject.tolist(), AT, then)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, after=st.none() | st.integers(-1, 10), before=st.none() | st.integers(-1, 10),
       limit=st.integers(0, 40))  # fmt: skip
def test_filters_pick_what_they_say(
    seed: int, after: int | None, before: int | None, limit: int
) -> None:
    """A filter by date picks the objects of known date within it, the first up to the limit."""
    scope = objects(random.Random(seed), 40)
    picked = [
        subject
        for subject, taken in zip(scope.subject.tolist(), scope.taken.tolist(), strict=True)
        if (after is None or (taken != UNKNOWN and taken >= after))
        and (before is None or (taken != UNKNOWN and taken < before))
    ][:limit]
    wanted = scope.selection(Filter(after, before, limit))
    assert wanted.subjects[wanted.owner].tolist() == picked
    assert wanted.subjects.tolist() == sorted(set(picked))


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
def test_the_breakdown_adds_up(seed: int) -> None:
    """Covered objects by notice version, by jurisdiction and by month of consent are each all of
    the covered objects; the sample names covered subjects, by the event that covers them; and
    nobody's consent runs out before `until`."""
    chance = random.Random(seed)
    question = replace(any_question(chance), purpose="ai:ModelTraining", category="pd:Picture")
    book, scope, snapshot = random_book(chance, 80), objects(chance, 40), Snapshot(question)
    book.followed(snapshot)
    decision = decided(snapshot, scope, replace(asked(question, AT), seed=str(seed)))
    covered = decision.coverage().covered_objects
    assert {sum(counts.values()) for counts in decision.breakdown.values()} == {covered}
    untils, months, places = [], Counter[str](), Counter[str]()
    for name, number in book.numbers.items():
        events = [e for e in book.events if e.subject == name]
        answer, held = verify(question, events, AT), scope.subject.tolist().count(number)
        if answer.excluded is None and held:
            untils.append(micros(answer.until))
            places[whereabouts(events)[0] or "unknown"] += held
            spoken = [e for e in events if weigh(question, e).relevant]
            last = max(spoken, key=lambda event: (event.at, event.position))
            months[f"{last.at:%Y-%m}"] += held
    assert decision.breakdown["month"] == months
    assert decision.breakdown["jurisdiction"] == places
    assert min(untils, default=micros(None)) == decision.until
    for one in decision.sample:
        event = book.events[one.position - 1]
        assert book.numbers[event.subject] == one.subject
        assert verify(question, [event, *place_of(book, event.subject)], AT).excluded is None
    again = decided(snapshot, scope, replace(asked(question, AT), seed=str(seed)))
    assert again.sample == decision.sample


def place_of(book: Book, subject: str) -> list[ConsentEvent]:
    """What a subject said of where it is, with no word on any question."""
    return [
        replace(event, purpose="dpv:LegalCompliance", action=Action.GIVEN)
        for event in book.events
        if event.subject == subject
    ]


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, size=st.integers(1, 9))
def test_pages_change_nothing(seed: int, size: int) -> None:
    """In pages of any size a scope comes to the same reasons, counts, sample and digest."""
    chance = random.Random(seed)
    book, question = random_book(chance, 80), any_question(chance)
    snapshot, scope = Snapshot(question), objects(chance, 30)
    book.followed(snapshot)
    whole = decided(snapshot, scope, asked(question, AT)).coverage()
    with pytest.MonkeyPatch.context() as patch:
        for module in (decide, deciding):
            patch.setattr(module, "PAGE", size)
        assert decided(snapshot, scope, asked(question, AT)).coverage() == whole


@given(codes=st.lists(st.integers(0, len(REASONS))))
def test_codes_are_counted_one_by_one(codes: list[int]) -> None:
    """However many codes there are, each is counted; and every one of them fits into its bits."""
    kinds = len(REASONS) + 1
    found = tally.of_each(np.array(codes, np.uint8), kinds).tolist()
    assert found == [codes.count(code) for code in range(kinds)]
    assert kinds <= int(decide.REASON) + 1
