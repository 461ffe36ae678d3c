"""The command line: what it says, on which stream, and with which exit code it leaves."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pyarrow as pa
import pytest
from pyarrow import parquet

from api import cli
from sharing.records import parties
from sharing.records.database import Database
from sharing.stages import Role
from tests.api.answering_server import Answer, Asked, serving

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
WORDS = [words for commands in cli.COMMANDS.values() for words in commands]
CONTRACT = (
    "demo", "up", "api", "worker control", "worker export", "migrate", "token",
    "request submit", "request list", "request show", "request watch", "decide",
    "export trigger", "export confirm", "export watch", "export cancel",
    "consent import", "dataset index", "verify", "audit verify",
)  # fmt: skip
EVENT = {"subject": "s", "purpose": "ai:ModelTraining", "action": "given", "explicit": True}


def test_every_command_of_the_contract_is_there() -> None:
    """The commands that others rely on exist, by these very words."""
    assert set(CONTRACT) <= set(WORDS)


@pytest.mark.parametrize("words", WORDS)
def test_every_command_explains_itself(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is found where the table says, and has a help text."""
    assert cli.run([*words.split(), "--help"]) == 0
    assert f"clearance {words}" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    """`clearance --help` answers without loading the engine, the database or the web framework."""
    script = (
        "import sys; from api import cli; cli.run(['--help']); heavy = {'temporalio', 'sqlalchemy',"
        "'fastapi', 'pyarrow', 'cryptography', 'PIL'} & set(sys.modules); sys.exit(str(heavy))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.stderr.strip() == "set()"


@pytest.mark.parametrize(
    "words",
    [
        ["demmo"],
        ["request", "show"],
        ["request", "show", "id", "--bogus"],
        ["decide", "id", "no_such_gate", "approved", "--reason", "x"],
        ["decide", "id", "purpose_review", "approved"],
        ["token", "Ada", "--role", "emperor"],
        ["up", "--port", "many"],
        ["consent", "import", "consents.xlsx"],
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that cannot be understood is told on stderr, with exit code 2."""
    assert cli.run(words) == 2
    out, err = capsys.readouterr()
    assert (out, bool(err)) == ("", True)


def test_typo_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt command is answered with the one that was meant."""
    cli.run(["demmo"])
    assert '"demo"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (["decide", "id", "x", "approved"], '"purpose_review", "consent_verification"'),
        (["token", "Ada", "--role", "x"], '"purpose_reviewer", "consent_steward"'),
        (["request", "list", "--state", "x"], '"submitted", "purpose_review"'),
    ],
)
def test_choices_are_spelt_as_everywhere(
    words: list[str], choices: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Choices are offered with the very words of the API, underscores and all."""
    assert cli.run(words) == 2
    told = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert choices in told


def test_unknown_setting_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt setting stops the command, and the right name is offered."""
    monkeypatch.setenv("CLEARANCE_TOKN", "x")
    assert cli.run(["request", "list"]) == 2
    assert "CLEARANCE_TOKEN?" in capsys.readouterr().err


def test_nobody_there_says_what_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing answers, one line says where and how to start it."""
    assert cli.run(["request", "list", "--url", NOBODY]) == 1
    assert capsys.readouterr().err.startswith(f"Nothing answers at {NOBODY}: start it with")


def test_refusal_shows_code_fields_and_cure(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is `code: detail`, then each bad field, on stderr, with exit code 1."""

    def refuse(_: Asked) -> Answer:
        errors = [{"path": "scope.limit", "message": "must be above 0."}]
        return 422, {"code": "invalid_body", "detail": "One field is wrong.", "errors": errors}

    with serving(refuse) as api:
        assert cli.run(["request", "show", "req_1", "--url", api.url, "--token", "t"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "invalid_body: One field is wrong.",
        "  scope.limit: must be above 0.",
    ]


def test_decide_sends_digest_and_declaration(capsys: pytest.CaptureFixture[str]) -> None:
    """`decide` names the digest that the API shows, states no interest, and sends a key."""

    def answer(asked: Asked) -> Answer:
        return (201, {"ok": 1}) if asked.method == "POST" else (200, {"digest": "d" * 64})

    words = ["decide", "req_1", "purpose_review", "approved", "--reason", "Fine.", "--json"]
    with serving(answer) as api:
        assert cli.run([*words, "--url", api.url, "--token", "secret"]) == 0
    sent = api.calls[-1]
    assert sent.path == "/v1/requests/req_1/decisions"
    assert sent.body == {
        "stage": "purpose_review", "outcome": "approved", "digest": "d" * 64, "reason": "Fine.",
        "no_interest": True,
    }  # fmt: skip
    assert sent.headers["authorization"] == "Bearer secret"
    assert sent.headers["idempotency-key"]
    assert json.loads(capsys.readouterr().out) == {"ok": 1}


def test_decide_sends_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """`decide` sends a word on each check that is named, and explains one that it cannot read."""

    def answer(_: Asked) -> Answer:
        return 201, {"ok": 1}

    words = ["decide", "req_1", "legal_approval", "approved", "--reason", "Fine.", "--digest", "d"]
    with serving(answer) as api:
        words += ["--url", api.url, "--token", "secret"]
        told = ["--answers", "privacy_promise=All said yes = since."]
        assert cli.run([*words, *told]) == 0
        assert api.calls[-1].body["answers"] == {"privacy_promise": "All said yes = since."}
        calls = len(api.calls)
        assert cli.run([*words, "--answers", "privacy_promise"]) == 1
        assert len(api.calls) == calls
    assert "CHECK=TEXT" in capsys.readouterr().err


def test_take_back_names_the_decision(capsys: pytest.CaptureFixture[str]) -> None:
    """`request take-back` sends the decision and the reason, if one is given."""

    def answer(asked: Asked) -> Answer:
        return 200, {"state": "purpose_review"}

    words = ["request", "take-back", "req_1", "dec_1", "--reason", "Misread."]
    with serving(answer) as api:
        assert cli.run([*words, "--url", api.url, "--token", "secret"]) == 0
    sent = api.calls[-1]
    assert sent.path == "/v1/requests/req_1/decisions/dec_1/take-back"
    assert sent.body == {"reason": "Misread."}
    assert capsys.readouterr().out.strip() == "purpose review"


def test_list_reads_every_page(capsys: pytest.CaptureFixture[str]) -> None:
    """`request list` follows the cursor to the last page."""

    def page(asked: Asked) -> Answer:
        last = "cursor=two" in asked.path
        item = {"id": "b" if last else "a", "state": "cleared", "waiting_for": None}
        return 200, {"items": [item], "next": None if last else "two"}

    with serving(page) as api:
        assert cli.run(["request", "list", "--json", "--url", api.url]) == 0
    assert [r["id"] for r in json.loads(capsys.readouterr().out)["items"]] == ["a", "b"]


def test_people_may_write_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    """What people wrote is shown as they wrote it, never read as a style."""
    decision = {"outcome": "approved", "actor": "per_1", "reason": "[bold]Fine[/x] to me"}
    stage = {"stage": "purpose_review", "state": "closed", "decisions": [decision]}
    request = {"id": "req_1", "state": "cleared", "digest": "d", "revision": 1, "stages": [stage]}
    with serving(lambda _: (200, request)) as api:
        assert cli.run(["request", "show", "req_1", "--url", api.url]) == 0
    assert "approved by per_1: [bold]Fine[/x] to me" in capsys.readouterr().out


def _ledger(asked: Asked) -> Answer:
    """Accepts consent events, but none of the subject `bad`."""
    refused = [
        {"line": i, "reason": "no such subject"}
        for i, event in enumerate(asked.body, 1)
        if event["subject"] == "bad"
    ]
    return 200, {"accepted": len(asked.body) - len(refused), "refused": refused, "position": 7}


def _imported(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, list[Asked]]:
    with serving(_ledger) as api:
        code = cli.run(["consent", "import", str(file), "--json", "--url", api.url])
    return code, json.loads(capsys.readouterr().out), api.calls


def test_ndjson_lines_keep_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blank, broken and refused lines are told by their number in the file, in order."""
    good, bad = json.dumps(EVENT), json.dumps({**EVENT, "subject": "bad"})
    file = tmp_path / "consents.ndjson"
    file.write_text("\n".join([good, "", "{broken", bad, "[1]", good]))
    code, told, _ = _imported(file, capsys)
    assert (code, told["accepted"], told["position"]) == (1, 2, 7)
    assert [r["line"] for r in told["refused"]] == [3, 4, 5]


def test_csv_has_its_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A CSV's `explicit` becomes true or false, and an empty cell is a field not given."""
    file = tmp_path / "consents.csv"
    file.write_text("subject,explicit,valid_until\na,true,\nbad,no,2030-01-01T00:00:00Z\n")
    code, told, calls = _imported(file, capsys)
    assert calls[0].body[0] == {"subject": "a", "explicit": True, "source_id": ANY}
    assert calls[0].body[1]["explicit"] is False
    assert (code, [r["line"] for r in told["refused"]]) == (1, [3])


def test_parquet_goes_in_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A Parquet file goes in calls of 10,000 events, and a refused row keeps its number."""
    subjects = ["s"] * 10_003 + ["bad"]
    file = tmp_path / "consents.parquet"
    parquet.write_table(pa.table({"subject": subjects, "explicit": [True] * 10_004}), file)
    code, told, calls = _imported(file, capsys)
    assert [len(call.body) for call in calls] == [10_000, 4]
    assert (code, told["accepted"]) == (1, 10_003)
    assert [r["line"] for r in told["refused"]] == [10_004]


def test_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is told in one line, without a traceback."""
    assert cli.run(["consent", "import", "/nowhere/consents.ndjson", "--url", NOBODY]) == 1
    assert capsys.readouterr().err == "/nowhere/consents.ndjson: No such file or directory\n"


def test_token_lets_somebody_in(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`clearance token` makes the first admin, prints the token once, and stores it hashed."""
    monkeypatch.setenv("CLEARANCE_DATABASE_URL", sqlite_url)
    assert cli.run(["token", "Ada Lovelace", "--role", "admin"]) == 0
    token = capsys.readouterr().out.strip()

    async def holder() -> parties.Principal | None:
        async with Database(sqlite_url) as database:
            return await database.read(lambda session: parties.principal(session, token))

    found = asyncio.run(holder())
    assert found is not None
    assert found.role is Role.ADMIN
    database_file = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    assert token.encode() not in database_file.read_bytes()


def test_token_for_an_unknown_partner_is_refused(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A partner's token needs a partner that is registered."""
    monkeypatch.setenv("CLEARANCE_DATABASE_URL", sqlite_url)
    assert cli.run(["token", "x", "--role", "partner", "--partner", "ptr_none"]) == 1
    assert capsys.readouterr().err.startswith("not_found:")


def test_audit_verify_finds_a_changed_entry(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An untouched log verifies; one whose entry was changed on the disk does not."""
    import sqlite3

    monkeypatch.setenv("CLEARANCE_DATABASE_URL", sqlite_url)
    assert cli.run(["token", "Ada", "--role", "admin"]) == 0
    assert cli.run(["audit", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["entries"] == 1
    file = sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    for (trigger,) in file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        file.execute(f"DROP TRIGGER {trigger}")
    file.execute("UPDATE audit_entry SET actor = 'somebody else'")
    file.commit()
    file.close()
    assert cli.run(["audit", "verify"]) == 1
    assert capsys.readouterr().err == "audit_broken: Entry 1 was changed.\n"


def test_exit_code_leaves_the_process() -> None:
    """The program leaves with its command's exit code, its output flushed."""
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "request", "list", "--url", NOBODY],
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert "Nothing answers" in told.stderr


@pytest.mark.parametrize(
    "words", [["verify", "x", "--key", "k"], ["receipt", "verify", "x", "--key", "k"]]
)
def test_unknown_setting_stops_what_runs_offline(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands that need no setting at all refuse a misspelt one as all others do."""
    monkeypatch.setenv("CLEARANCE_TOKN", "x")
    assert cli.run(words) == 2
    assert "CLEARANCE_TOKEN?" in capsys.readouterr().err


def test_a_database_of_another_kind_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that Clearance cannot use is told by the variable's name, without its password."""
    monkeypatch.setenv("CLEARANCE_DATABASE_URL", "mysql://me:secret@x/y")
    assert cli.run(["migrate"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("CLEARANCE_DATABASE_URL must begin with sqlite+aiosqlite:///")
    assert ("postgresql+asyncpg://" in told, "secret" in told) == (True, False)


@pytest.mark.parametrize(
    "words",
    [
        ["request", "show", "nope"],
        ["decide", "nope", "purpose_review", "approved", "--reason", "x"],
        ["export", "trigger", "nope"],
    ],
)
def test_a_refusal_is_json_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` a refusal is one JSON object on stdout, as the API gave it, and the exit code
    and the words on stderr stay."""
    problem = {"title": "Not found", "status": 404, "code": "not_found", "detail": "No request."}
    with serving(lambda _: (404, problem)) as api:
        assert cli.run([*words, "--json", "--url", api.url]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"ok": False, **problem}
    assert err == "not_found: No request.\n"


def test_a_broken_file_is_refused_in_json_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--json` what is refused before any call is one JSON object on stdout too."""
    file = tmp_path / "bad.json"
    file.write_text("{bad")
    assert cli.run(["request", "submit", str(file), "--json", "--url", NOBODY]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["code"]) == (False, "invalid_body")
    assert cli.run(["request", "list", "--json", "--url", NOBODY]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "unreachable"
