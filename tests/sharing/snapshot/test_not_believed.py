"""A snapshot believes no checkpoint that does not follow from where it stands."""

import random
from collections.abc import Callable

import pytest

from sharing.records.ledger import GENESIS, Checkpoint, LedgerBroken, link
from sharing.snapshot.snapshot import Snapshot
from tests.sharing.snapshot.books import Book, random_book, random_question


@pytest.fixture
def book() -> Book:
    """A ledger of some checkpoints."""
    return random_book(random.Random(7), 60)


def flipped(checkpoint: Checkpoint) -> None:
    """One bit of the columns turned."""
    columns = bytearray(checkpoint.columns)
    columns[-1] ^= 1
    checkpoint.columns = bytes(columns)


def rehashed(checkpoint: Checkpoint) -> None:
    """One bit turned, and the hash made anew: the next one then follows another."""
    flipped(checkpoint)
    checkpoint.hash = link(checkpoint.previous, checkpoint.first, checkpoint.last,
                           checkpoint.events_sha256, checkpoint.columns)  # fmt: skip


def cut_short(checkpoint: Checkpoint) -> None:
    """An event less, and the hash made anew."""
    checkpoint.columns = checkpoint.columns[:-24]
    checkpoint.hash = link(checkpoint.previous, checkpoint.first, checkpoint.last,
                           checkpoint.events_sha256, checkpoint.columns)  # fmt: skip


def other_text(checkpoint: Checkpoint) -> None:
    """Said to be made of other words."""
    checkpoint.events_sha256 = "1" * 64


@pytest.mark.parametrize("harm", [flipped, rehashed, cut_short, other_text])
def test_a_changed_checkpoint_is_refused(book: Book, harm: Callable[[Checkpoint], None]) -> None:
    """A checkpoint that was changed, with its hash or without, is not counted."""
    harm(book.checkpoints[1])
    with pytest.raises(LedgerBroken):
        book.followed(Snapshot(random_question(random.Random(1))))


def test_a_missing_checkpoint_is_refused(book: Book) -> None:
    """A chain with a link taken out is not counted."""
    del book.checkpoints[2]
    with pytest.raises(LedgerBroken):
        book.followed(Snapshot(random_question(random.Random(1))))


def test_a_snapshot_of_another_ledger_is_not_followed_on(book: Book) -> None:
    """A snapshot that stands elsewhere refuses to take in what does not follow."""
    snapshot = Snapshot(random_question(random.Random(1)))
    snapshot.position, snapshot.hash = book.checkpoints[0].last, GENESIS
    with pytest.raises(LedgerBroken):
        book.followed(snapshot)


@pytest.mark.parametrize("missing", ["statements", "subjects"])
def test_a_number_without_a_name_is_refused(book: Book, missing: str) -> None:
    """An event that names a statement or a subject that the ledger lacks is not counted, and the
    snapshot that met it is not used again."""
    snapshot = Snapshot(random_question(random.Random(1)))
    terms = book.numbered_terms()[: -1 if missing == "statements" else None]
    subjects = len(book.numbers) - (missing == "subjects")
    with pytest.raises(LedgerBroken):
        snapshot.follow(book.checkpoints, terms, subjects)
    with pytest.raises(LedgerBroken):
        snapshot.follow(book.checkpoints, book.numbered_terms(), len(book.numbers))


def test_a_gap_in_the_statements_is_refused(book: Book) -> None:
    """Statements are numbered without a gap, or nothing is counted."""
    terms = book.numbered_terms()
    with pytest.raises(LedgerBroken):
        Snapshot(random_question(random.Random(1))).follow(
            book.checkpoints, [*terms[:3], *terms[4:]], len(book.numbers)
        )
