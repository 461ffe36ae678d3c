"""The walk in docs/api-walk.md, and the checks in docs/process.md, done as they are written."""

import os
import sys
from pathlib import Path

import pytest

from api.up import running
from tests.e2e.pages import first_missing, run, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROGRAMS = Path(sys.executable).parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str | None, str]]:
    """What each step of both pages promises, and what it answered on a fresh system."""
    folder = tmp_path_factory.mktemp("walk")
    every = [*steps(DOCS / "api-walk.md"), *steps(DOCS / "process.md")]
    environment = {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
    }
    async with running(folder / "walk") as system:
        said = await run(every, folder, {**environment, "URL": system.url})
    return {str(step): (step.promised, told) for step, told in zip(every, said, strict=True)}


async def test_the_pages_can_be_followed(answers: dict[str, tuple[str | None, str]]) -> None:
    """Every command of the pages succeeds, in their order, with the answers that they promise."""
    wrong = {
        step: f"{missing!r} is not in:\n{told}"
        for step, (promised, told) in answers.items()
        if promised is not None and (missing := first_missing(promised, told)) is not None
    }
    assert wrong == {}


async def test_the_pages_promise_answers(answers: dict[str, tuple[str | None, str]]) -> None:
    """The pages are not empty: most of their commands say what they answer."""
    promising = [step for step, (promised, _) in answers.items() if promised]
    assert len(promising) >= 20


@pytest.mark.parametrize(
    ("promised", "answer", "missing"),
    [
        ("a\nc\n", "a\nb\nc\n", None),
        ("c\na\n", "a\nb\nc\n", "a"),
        ('"id": "req_5aae41014ad04c3540f9",', '"id": "req_00000000000000000000"', None),
        ('"id": "req_5aae41014ad04c3540f9"', '"id": "per_00000000000000000000"', '"id": "req_ID"'),
        ('"state": "cleared"', '"state": "refused"', '"state": "cleared"'),
        ('"objects": 114', '"objects": 113', '"objects": 114'),
    ],
)
def test_a_wrong_answer_is_noticed(promised: str, answer: str, missing: str | None) -> None:
    """An answer must have each promised line, in order; only ids, digests and times may differ."""
    assert first_missing(promised, answer) == missing
