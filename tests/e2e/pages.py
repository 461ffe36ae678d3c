"""Pages that can be run: their shell blocks, in order, and the answers that they promise."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "@@ block"

# What differs from one run to the next; everything else in an answer has to be as promised.
VARIES = (
    (re.compile(r"\b([a-z]{3})_[0-9a-f]{20}\b"), r"\1_ID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "URL"),
    (re.compile(r"/v1/packages/[^/]+/"), "/v1/packages/LINK/"),
    (re.compile(r'"(bytes|entries)": \d+'), r'"\1": NUMBER'),
    (re.compile(r"[\d,]+ bytes"), "NUMBER bytes"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One shell block of a page, and the answer that stands under it (None without one)."""

    page: str
    number: int
    command: str
    promised: str | None

    def __str__(self) -> str:
        return f"{self.page}, shell block {self.number}"


def steps(page: Path) -> list[Step]:
    """The shell blocks of a page; a block of another kind right behind one is its answer."""
    found: list[Step] = []
    text, end = page.read_text(), 0
    for match in FENCE.finditer(text):
        kind, body = match.groups()
        if kind == "sh":
            found.append(Step(page.name, len(found) + 1, body, None))
        elif found and found[-1].promised is None and not text[end : match.start()].strip():
            found[-1] = Step(page.name, found[-1].number, found[-1].command, body)
        end = match.end()
    return found


async def run(every: list[Step], folder: Path, environment: dict[str, str]) -> list[str]:
    """Runs all steps in one bash that stops at the first failure; gives what each has said."""
    script = "set -euo pipefail\n" + "".join(f"echo '{MARK}'\n{s.command}" for s in every)
    bash = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await asyncio.wait_for(bash.communicate(), 180))[0].decode()
    answers = said.split(f"{MARK}\n")[1:]
    where = every[len(answers) - 1] if answers else "the shell itself"
    assert bash.returncode == 0, f"{where} left with {bash.returncode}:\n{answers[-1:] or said}"
    return answers


def first_missing(promised: str, answer: str) -> str | None:
    """The first promised line that the answer does not have, in this order; None if it has all."""
    lines = iter(_comparable(answer))
    return next((line for line in _comparable(promised) if line not in lines), None)


def _comparable(text: str) -> list[str]:
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return [line.strip().rstrip(",") for line in text.splitlines() if line.strip()]
