"""What a deployment judges consent by is read once, from the files that its settings name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.commands import serve
from sharing import policy, vocabulary
from sharing.jurisdiction_file import in_force
from sharing.settings import Settings, SettingsError
from sharing.vocabulary import PURPOSES

WORDS = 'version = "1"\n[purposes]\n"own:Art" = { label = "Making art" }\n'
RULES = """
[[version]]
version = "own"
from = 2020-01-01
reviewed_by = "counsel"
[version.places]
known = ["AA"]
[[version.rule]]
name = "art"
where = ["AA"]
purposes = ["own:Art"]
needs = "never"
because = "no art here"
"""


@pytest.fixture(autouse=True)
def _as_packaged() -> Iterator[None]:
    yield
    policy.take_up(Settings())


def digests(at: datetime | None = None) -> tuple[str, str]:
    """The digests of the words, and of the rules of a moment."""
    return vocabulary.digest(), in_force(at).digest()


def given(folder: Path, words: str = WORDS, rules: str = RULES) -> Settings:
    """Settings that name two files."""
    (folder / "words.toml").write_text(words)
    (folder / "rules.toml").write_text(rules)
    return Settings(vocabulary=folder / "words.toml", jurisdictions=folder / "rules.toml")


def test_both_files_are_taken_up(tmp_path: Path) -> None:
    """Own terms are known, to own rules too; another file of either is another digest."""
    before = digests()
    policy.take_up(given(tmp_path))
    assert "own:Art" in PURPOSES
    assert in_force().version == "own"
    both = digests()
    policy.take_up(given(tmp_path, rules=RULES.replace('"AA"', '"BB"')))
    other_rules = digests()
    policy.take_up(given(tmp_path, words=WORDS + '"own:Fun" = { label = "Fun" }\n'))
    assert len({before, both, other_rules, digests()}) == 4
    policy.take_up(Settings())
    assert digests() == before


def test_the_digest_is_that_of_the_moment(tmp_path: Path) -> None:
    """A version that begins later changes the digest on its day, and not before."""
    two = RULES.replace("2020-01-01", "2026-06-01").replace('"own"', '"next"')
    policy.take_up(given(tmp_path, rules=RULES + two.replace('"never"', '"explicit"')))
    day = [digests(datetime(2026, 5, d, tzinfo=UTC)) for d in (1, 31)]
    assert day[0] == day[1] != digests(datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("bad", "name"),
    [({"words": "?"}, "CLEARANCE_VOCABULARY"), ({"rules": "?"}, "CLEARANCE_JURISDICTIONS")],
)
def test_a_bad_file_is_told_with_its_setting(
    tmp_path: Path, bad: dict[str, str], name: str
) -> None:
    """The error names the setting, the file and what is wrong."""
    with pytest.raises(SettingsError, match=f"{name}: {tmp_path}.*it is not TOML"):
        policy.take_up(given(tmp_path, **bad))


@pytest.mark.parametrize("part", [serve.api, serve.control, serve.export])
def test_no_part_starts_with_a_bad_file(
    part: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API and both workers read the files before anything else, and stop at a bad one."""
    monkeypatch.setenv("CLEARANCE_VOCABULARY", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match="CLEARANCE_VOCABULARY"):
        part()  # type: ignore[operator]


def test_paths_are_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path is relative to where the process was started, also for its children."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"CLEARANCE_VOCABULARY": "words.toml"})
    assert settings.vocabulary == tmp_path / "words.toml"
    assert settings.jurisdictions is None
