"""The pattern that says how a path names its subject."""

import pytest

from sharing.errors import Refused
from sharing.export.subject_from import check_subject_from, subject_pattern


@pytest.mark.parametrize(
    ("pattern", "path", "subject"),
    [
        ("path:{subject}/*", "anna/1.jpg", "anna"),
        ("path:{subject}/*", "anna/more/1.jpg", None),
        ("path:{subject}/*", "1.jpg", None),
        ("path:{subject}/**", "anna/more/1.jpg", "anna"),
        ("path:{subject}.jpg", "anna.jpg", "anna"),
        ("path:{subject}.jpg", "anna.JPG", "anna"),
        ("path:{subject}.jpg", "anna.png", None),
        ("path:{subject}.jpg", "more/anna.jpg", None),
        ("path:*/{subject}/*", "2012/anna/1.jpg", "anna"),
        ("path:**/{subject}/*", "a/b/anna/1.jpg", "anna"),
        ("path:**/{subject}/*", "anna/1.jpg", "anna"),
        ("path:u-{subject}_*.jpg", "u-7_front_1.jpg", "7"),
        ("path:{subject}/*", "an\nna/x\ty.jpg", "an\nna"),
        ("path:{subject}/*", "a.*/1.jpg", "a.*"),
        ("path:[x]+{subject}/*", "[x]+anna/1.jpg", "anna"),
    ],
)
def test_patterns(pattern: str, path: str, subject: str | None) -> None:
    """A pattern finds the subject, or says that the file is none of the dataset's."""
    assert subject_pattern(pattern)(path) == subject


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{subject}/*",
        "path:",
        "path:*/*",
        "path:{subject}/{subject}",
        "path:{name}/*",
        "path:/{subject}/*",
        "path:../{subject}/*",
        "path:{subject}//*",
        "path:./{subject}",
        "path:{subject}*",
        "path:*{subject}.jpg",
        "path:**/{subject}/**",
        "path:a**/{subject}",
        "path:{subject}/\n",
        "path:" + "a" * 600 + "{subject}",
        "index.txt",
        "../index.csv",
        "/etc/index.csv",
        "index.csv\n",
    ],
)
def test_malformed(text: str) -> None:
    """What cannot be followed, or leaves open who the subject is, is refused by field."""
    with pytest.raises(Refused) as refused:
        check_subject_from(text)
    assert refused.value.code == "invalid_body"
    assert refused.value.errors[0].path == "subject_from"


@pytest.mark.parametrize("text", ["index.csv", "index.parquet", "People.CSV", "path:{subject}/*"])
def test_well_formed(text: str) -> None:
    """Patterns and bare names of index files are taken."""
    check_subject_from(text)
