"""Settings and their page agree."""

import re
from dataclasses import fields
from pathlib import Path

from sharing.settings import PREFIX, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
NAMES = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}


def told() -> set[str]:
    """The settings that have a row of their own on the page."""
    return set(re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \|", PAGE.read_text(), flags=re.MULTILINE))


def test_every_setting_is_explained() -> None:
    """Each CLEARANCE_* that the program reads has a row in docs/settings.md."""
    assert sorted(NAMES - told()) == []


def test_no_setting_is_explained_that_does_not_exist() -> None:
    """Each row in docs/settings.md is a setting that the program reads."""
    assert sorted(told() - NAMES) == []


def test_defaults_are_told_as_they_are() -> None:
    """A number that docs/settings.md gives as a default is the default in the code."""
    page = PAGE.read_text()
    for field in fields(Settings):
        if not isinstance(field.default, int | float):
            continue
        row = re.search(rf"^\| `{PREFIX}{field.name.upper()}` \| `([^`]*)`", page, re.MULTILINE)
        assert row, f"{field.name} has a default, {field.default}; its row should show it"
        assert float(row[1]) == field.default, field.name
