"""Commands that read the database directly, where there is none."""

from pathlib import Path

import pytest

from api import cli


@pytest.mark.parametrize("words", [["token", "ada", "--role", "admin"], ["audit", "verify"]])
@pytest.mark.parametrize("exists", [False, True])
def test_a_home_without_a_database_is_told_with_the_cure(
    words: list[str], exists: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a database, or without its tables, a command says in two lines what makes one."""
    home = tmp_path / "home"
    if exists:
        home.mkdir()
    assert cli.run([*words, "--home", str(home)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 2
    assert "`clearance migrate` makes it" in told.err
