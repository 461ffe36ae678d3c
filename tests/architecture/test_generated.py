"""The pages that are made from the code are what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_pages_are_up_to_date() -> None:
    """docs/permissions.md and docs/states.md are what `uv run python -m deploy.generated` makes."""
    checked = subprocess.run(
        [sys.executable, "-m", "deploy.generated", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
