"""What a dataset offers, and what may be asked of it."""

import pytest

from sharing.errors import Refused
from sharing.offered import PHOTOS, Offer, categories, in_words, names_in_words, table_of
from sharing.request import Revision, check
from tests.walk import BODY

DECLARED = {
    "location": "profiles.parquet",
    "source": None,
    "subject": "id",
    "columns": [
        {"name": "country", "category": "pd:Country", "forms": ["keep"]},
        {"name": "birthday", "category": "pd:Age", "forms": ["year", "decade"]},
        {"name": "diary", "category": "pd:Communication", "forms": ["drop"]},
    ],
}
JOINED = Offer(photos=True, category="pd:Picture", table=table_of(DECLARED))
ALONE = Offer(photos=False, category="pd:Demographic", table=table_of(DECLARED))


@pytest.mark.parametrize(
    ("offer", "fields", "path", "cure"),
    [
        (PHOTOS, ["photo", "country"], "scope.fields.1", "Use one of photo."),
        (PHOTOS, ["photo:year"], "scope.fields.0", "Use one of keep."),
        (JOINED, ["photo", "contry"], "scope.fields.1", "Did you mean 'country'?"),
        (JOINED, ["country:year"], "scope.fields.0", "Use one of keep."),
        (JOINED, ["birthday:keep"], "scope.fields.0", "Use one of year, decade."),
        (JOINED, ["birthday:"], "scope.fields.0", "Use one of year, decade."),
        (JOINED, ["birthday:year:decade"], "scope.fields.0", "Use one of year, decade."),
        (JOINED, ["diary"], "scope.fields.0", "never given away"),
        (JOINED, ["birthday:year", "birthday:decade"], "scope.fields", "named twice"),
        (ALONE, ["photo"], "scope.fields.0", "Use one of country, birthday."),
    ],
)
def test_bad_fields(offer: Offer, fields: list[str], path: str, cure: str) -> None:
    """A field that is not offered, or not so, is named by its path, with what is offered."""
    body = {**BODY, "scope": {**BODY["scope"], "fields": fields}}
    with pytest.raises(Refused) as refused:
        check(body, offer)
    assert [error.path for error in refused.value.errors] == [path]
    assert cure in refused.value.errors[0].message


def test_rows_have_no_date() -> None:
    """A filter by the time of a photograph is refused where there are only rows."""
    where = {"fields": ["country"], "where": {"taken_after": "2012-01-01"}, "limit": 10}
    with pytest.raises(Refused, match="leave it out"):
        check({**BODY, "scope": where}, ALONE)


def test_one_scope_has_one_digest() -> None:
    """The usual form may be left out, and is written out: both ways give the same fields. Any other
    form, and any other order, gives another digest."""
    assert JOINED.canonical(["photo", "country", "birthday"]) == [
        "photo", "country", "birthday:year",
    ]  # fmt: skip
    assert JOINED.canonical(["country:keep"]) == ["country"]

    def digest(*fields: str) -> str:
        scope = {**BODY["scope"], "fields": list(fields)}
        return Revision("req", 1, "ptr", None, 1, {**BODY, "scope": scope}).digest

    asked = [("photo",), ("photo", "country"), ("country", "photo"),
             ("photo", "birthday:year"), ("photo", "birthday:decade")]  # fmt: skip
    assert len({digest(*fields) for fields in asked}) == len(asked)


def test_categories_and_words() -> None:
    """Each category is asked about once, in the order of the fields; in words each has its form."""
    fields = JOINED.asked(["photo", "birthday:decade", "country"])
    assert categories(fields) == ("pd:Picture", "pd:Age", "pd:Country")
    assert in_words(fields) == "photo, birthday (its decade), country (as it is)"
    assert names_in_words(map(str, fields)) == in_words(fields)
    assert JOINED.categories() == {"pd:Picture", "pd:Age", "pd:Country"}
    assert ALONE.categories() == {"pd:Age", "pd:Country"}
