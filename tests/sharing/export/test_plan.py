"""How a scope is cut into shards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.export.plan import Bounds, Page, Piece, cut


def pages(sizes: list[int], of: int, gap: int = 1) -> list[Page]:
    """Objects of these sizes at every `gap`th position, in pages of `of`."""
    positions = np.arange(len(sizes), dtype=np.int64) * gap
    whole = np.array(sizes, np.int64)
    return [(positions[i : i + of], whole[i : i + of]) for i in range(0, len(sizes), of)]


@given(
    st.lists(st.integers(0, 50), max_size=60),
    st.integers(1, 9),
    st.integers(1, 100),
    st.integers(1, 3),
)
def test_every_object_is_in_one_shard_and_every_shard_is_as_full_as_it_may(
    sizes: list[int], most: int, size: int, gap: int
) -> None:
    """Shards follow each other without a gap; none holds more than it may, unless it is one object;
    and none ends before it must."""
    pieces = list(cut(pages(sizes, 7, gap), Bounds(most, size)))
    begin = 0
    for piece in pieces:
        end = begin + piece.objects
        assert (piece.first, piece.last) == (begin * gap, (end - 1) * gap)
        assert piece.bytes == sum(sizes[begin:end])
        assert piece.objects == 1 or (piece.objects <= most and piece.bytes <= size)
        if end < len(sizes):
            assert piece.objects == most or piece.bytes + sizes[end] > size
        begin = end
    assert begin == len(sizes)


@pytest.mark.parametrize("of", [1, 2, 3, 5, 100])
def test_pages_make_no_difference(of: int) -> None:
    """The same scope is cut the same, however it was read."""
    sizes = [5, 3, 200, 1, 1, 1, 1, 9, 9, 40, 2]
    whole = list(cut(pages(sizes, 100), Bounds(4, 20)))
    assert list(cut(pages(sizes, of), Bounds(4, 20))) == whole


def test_a_large_object_is_a_shard_of_its_own() -> None:
    """What is larger than a shard may be stands alone; its neighbours are not dragged along."""
    pieces = list(cut(pages([1, 500, 1, 1], 10), Bounds(10, 100)))
    assert pieces == [Piece(0, 0, 1, 1), Piece(1, 1, 1, 500), Piece(2, 3, 2, 2)]


def test_nothing_in_scope_gives_no_shard() -> None:
    """An empty scope is cut into nothing."""
    assert list(cut([], Bounds(10, 100))) == []


@pytest.mark.parametrize(
    ("objects", "most", "shards"),
    [(12, 5, [4, 4, 4]), (2000, 1250, [1000, 1000]), (11, 5, [4, 4, 3]), (5, 5, [5]), (0, 5, [])],
)
def test_the_last_shard_is_no_scrap(objects: int, most: int, shards: list[int]) -> None:
    """A scope is cut into as few shards as the bound allows, and those are of like size."""
    bounds = Bounds(most, 10**9).evenly(objects)
    found = [piece.objects for piece in cut(pages([1] * objects, 7), bounds)]
    assert found == shards
