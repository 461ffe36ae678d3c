"""The direction of imports: api, then workflows, then sharing; and the data plane without SQL."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "workflows", "sharing")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
# A line for a file of each package, and the contract that it breaks.
BREACHES = {
    "layers": ("sharing/stages.py", "import workflows.activities\n"),
    "business-knows-no-engine": ("sharing/stages.py", "import temporalio.workflow\n"),
    "workflows-speak-temporal-only": ("workflows/activities/__init__.py", "import sqlalchemy\n"),
    "workflow-files-load-no-table": ("sharing/stages.py", "import sharing.records.tables\n"),
    "pipe-is-free-of-sql": ("sharing/export/seal.py", "import sqlmodel\n"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the import linter on a checkout, in a process of its own: it caches what it imported."""
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command",
    ]
    command[-1] += "; sys.path.insert(0, '.'); lint_imports_command(['--no-cache'])"
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the three packages and their contracts, to break."""
    names = [*PACKAGES, "pyproject.toml"]
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in names), str(tmp_path)], check=True)
    return tmp_path


def test_imports_keep_their_direction() -> None:
    """No import goes against the contracts in pyproject.toml."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_of_each_contract_is_found(checkout: Path, contract: str) -> None:
    """A forbidden import, written into a copy of the code, fails the contract that forbids it."""
    path, line = BREACHES[contract]
    file = checkout / path
    file.write_text(file.read_text() + "\n" + line)
    result = lint(checkout)
    name = next(one["name"] for one in CONTRACTS if one["id"] == contract)
    assert result.returncode != 0
    assert f"{name} BROKEN" in result.stdout, result.stdout + result.stderr


def test_each_contract_is_tried() -> None:
    """There is a breach above for every contract in pyproject.toml."""
    assert {one["id"] for one in CONTRACTS} == set(BREACHES)


def test_no_package_imports_what_deploys_it() -> None:
    """Nothing in the packages imports `deploy` or `tests`."""
    offenders = [
        str(file)
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for line in file.read_text().splitlines()
        if line.strip().startswith(("import deploy", "from deploy", "import tests", "from tests"))
    ]
    assert offenders == []
