"""Tests say what they show."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def every_test() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test function there is, also those in classes."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_"):
                yield file, node


def test_every_test_states_its_fact() -> None:
    """Each test has a docstring: the sentence that it shows to be true."""
    silent = [
        f"{file.name}: {node.name}" for file, node in every_test() if not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_test_is_switched_off() -> None:
    """No test is marked `skip` or `xfail`: where something is missing, a fixture says what."""
    marked = [
        f"{file.name}: {node.name}"
        for file, node in every_test()
        for mark in node.decorator_list
        if ast.unparse(mark).startswith(("pytest.mark.skip(", "pytest.mark.xfail"))
    ]
    assert marked == []
