"""Words that mislead nobody: what changed, what came of a question, and where nothing is."""

import pytest

from api import register_words
from api.pages import frame
from api.pages.changes import parted
from api.pages.export_numbers import many
from tests.api.world import World

LONG = "One two three four five six seven eight nine ten. " * 6


def test_a_long_answer_shows_the_words_that_changed() -> None:
    """Of two long answers only what differs is marked, and what is the same at length is a gap."""
    found = parted(LONG + "Kept for a year.", LONG + "Kept for a week.")
    assert [text for kind, text in found if kind == "gone"] == ["year."]
    assert [text for kind, text in found if kind == "new"] == ["week."]
    assert [kind for kind, _ in found].count("gap") == 1
    assert sum(len(text) for _, text in found) < len(LONG) / 2


@pytest.mark.parametrize(
    ("before", "after", "gone", "new"),
    [(365, 1200, "365", "1\u202f200"), (["A"], [], "A", "nobody"), (LONG, "No.", LONG, "No.")],
)
def test_a_short_answer_stands_as_a_whole(
    before: object, after: object, gone: str, new: str
) -> None:
    """A number, a list, or a text that is another one altogether: all that was, and all that is."""
    assert parted(before, after) == [("gone", gone), ("same", " \u2192 "), ("new", new)]


def test_every_word_of_both_answers_is_there() -> None:
    """Without gaps, what is the same and gone is the old text, what is the same and new ours."""
    old = "We keep it for a year and pass it on to nobody at all, as we said in the letter."
    new = "We keep it for two years and pass it on to nobody, as we said in our second letter."
    found = parted(old, new)
    assert "".join(text for kind, text in found if kind != "new") == old
    assert "".join(text for kind, text in found if kind != "gone") == new


def test_nobody_gains_is_a_no() -> None:
    """The register asks whether anybody gains, so the gate that is passed is answered by a no."""
    assert register_words.answer("conflict_signoff", "approved") == "no"
    assert register_words.answer("conflict_signoff", "refused") == "yes"
    assert register_words.answer("purpose_review", "approved") == "yes"
    assert register_words.answer("conflict_signoff", "expired") == "nobody answered in time"


def test_one_is_not_many() -> None:
    """A number of things is told in the right number."""
    assert [many(n, "shard") for n in (0, 1, 1200)] == ["0 shards", "1 shard", "1\u202f200 shards"]


@pytest.mark.parametrize("path", ["/nothing", "/sign-in", "/requests/x/y/z"])
async def test_where_nothing_is_a_browser_gets_a_page(here: World, path: str) -> None:
    """A mistyped address leads to a page with a way on; a program still gets a problem."""
    for accept, kind in (("text/html,*/*", "text/html"), ("*/*", "application/problem+json")):
        got = await here.http.get(path, headers={"Accept": accept})
        assert got.status_code == 404
        assert got.headers["content-type"].startswith(kind)
        assert ('href="/"' in got.text) is (kind == "text/html")
    api = await here.http.get("/v1/nothing", headers={"Accept": "text/html"})
    assert api.headers["content-type"] == "application/problem+json"


def test_every_template_can_be_compiled() -> None:
    """None has a slip that only somebody's first page would bring to light."""
    frame.compile_all()
