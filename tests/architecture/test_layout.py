"""Small rooms with honest names."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "workflows", "sharing")
LONGEST_FILE = 300
# In the code bases that we measured, files with these names grew to thousands of lines.
NAMES_THAT_SAY_NOTHING = {
    "service",
    "utils",
    "util",
    "helpers",
    "common",
    "manager",
    "core",
    "base",
}


def files() -> list[Path]:
    """Every Python file of the three packages; migrations are a record, not rooms to live in."""
    return [
        file
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if "versions" not in file.parts
    ]


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_go(file: Path) -> None:
    """A file has at most 300 lines."""
    lines = len(file.read_text().splitlines())
    assert lines <= LONGEST_FILE, f"{file} has {lines} lines: which second noun moved in?"


def test_a_file_is_named_after_what_it_holds() -> None:
    """No file or folder is named service, utils, helpers, common, manager, core or base."""
    paths = [file.relative_to(ROOT) for file in (*files(), *(ROOT / "tests").rglob("*.py"))]
    named = [path for path in paths if {path.stem, *path.parts} & NAMES_THAT_SAY_NOTHING]
    assert named == []


def test_every_public_module_says_what_it_is_for() -> None:
    """A file that holds code begins with a docstring."""
    silent = [
        str(file.relative_to(ROOT))
        for file in files()
        if (text := file.read_text().strip()) and not text.startswith(('"""', 'r"""'))
    ]
    assert silent == []
