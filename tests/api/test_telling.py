"""How the command line words what it has to say."""

import pytest

from api import cli
from api.problems import in_our_words
from tests.api.answering_server import Answer, Asked, serving

REQUEST = "req_5aae41014ad04c3540f9"
LIMIT = {"path": "scope.limit", "message": "must be a whole number."}
BASIS = {"path": "legal_basis", "message": "is required."}


def refusing(*errors: dict[str, str]) -> Answer:
    """What the API answers: the detail says every field, and the list says it again."""
    detail = " ".join(f"{e['path']}: {e['message']}" for e in errors)
    return 422, {"code": "invalid_body", "detail": detail, "errors": list(errors)}


def told(answer: Answer, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr for that answer."""
    with serving(lambda _: answer) as api:
        assert cli.run(["request", "show", REQUEST, "--url", api.url]) == 1
    return capsys.readouterr().err.splitlines()


def test_one_bad_field_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal of one field is one line."""
    assert told(refusing(LIMIT), capsys) == ["invalid_body: scope.limit: must be a whole number."]


def test_bad_fields_are_told_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Of several bad fields the first line says how many, and each has one line."""
    assert told(refusing(LIMIT, BASIS), capsys) == [
        "invalid_body: 2 fields cannot be accepted.",
        "  scope.limit: must be a whole number.",
        "  legal_basis: is required.",
    ]


def test_a_list_in_a_pipe_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """`request list` cuts neither ids nor titles where its output is no terminal."""
    title = "A long title of a request " * 7

    def page(_: Asked) -> Answer:
        waiting = {"roles": ["consent_steward"], "until": "2026-12-07T06:48:37.574283Z"}
        item = {"id": REQUEST, "state": "consent_verification", "waiting_for": waiting}
        return 200, {"items": [{**item, "title": title.strip()}], "next": None}

    with serving(page) as api:
        assert cli.run(["request", "list", "--url", api.url]) == 0
    row = capsys.readouterr().out.splitlines()[1].split("   ")
    assert row == [
        REQUEST, "consent verification", "consent steward", "2026-12-07", title.strip()
    ]  # fmt: skip


def test_a_partner_without_the_role_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """`token --partner` without `--role partner`, or the reverse, leaves with exit code 2."""
    assert cli.run(["token", "ada", "--role", "partner"]) == 2
    assert cli.run(["token", "ada", "--role", "admin", "--partner", "ptr_1"]) == 2
    assert capsys.readouterr().err.count("--role partner") == 2


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Input should be greater than or equal to 1", "must be greater than or equal to 1"),
        ("String should have at most 200 characters", "must have at most 200 characters"),
        ("Value error, must be one line.", "must be one line."),
        ("Input should be <Outcome.A: 'a'> or <Outcome.B: 'b'>", "must be 'a' or 'b'"),
    ],
)
def test_what_a_library_says_is_told_in_our_words(theirs: str, ours: str) -> None:
    """Messages of the validating library get the form that all other refusals have."""
    assert in_our_words(theirs) == ours
