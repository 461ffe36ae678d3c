"""Pins every dependency: `python deploy/pin.py` after a change, `--upgrade` for newer versions.

Writes, from the ranges in pyproject.toml:
  deploy/requirements.txt       what the product runs on, with hashes (images install this)
  deploy/requirements-dev.txt   the same and the test tools, with hashes
  pyproject.toml                the same versions as constraints, so that `uv run` takes them too,
                                and what the build backend itself needs
None of them carries a download address. uv.lock would, so it is not committed.
"""

import argparse
import re
import subprocess
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
RUNTIME = Path("deploy/requirements.txt")
DEVELOPMENT = Path("deploy/requirements-dev.txt")
BLOCK = re.compile(
    r"(?P<name>(?:build-)?constraint-dependencies) = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL
)
PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][^\s\\]*==[^\\#]*?)\s*\\?$", re.MULTILINE)


def main() -> None:
    """Compiles both files and rewrites the two constraint lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    compile_pins("pyproject.toml", RUNTIME, *upgrade)
    compile_pins("pyproject.toml", DEVELOPMENT, "--group", "dev", "-c", str(RUNTIME), *upgrade)
    write_constraints(
        {
            "constraint-dependencies": pins(ROOT / DEVELOPMENT),
            "build-constraint-dependencies": build_pins(),
        }
    )


def compile_pins(source: str, target: Path, *options: str) -> None:
    """Resolves `source` for every platform into `target`; raises CalledProcessError."""
    # --no-config: the constraints that this very command writes must not hold it back.
    command = ["uv", "pip", "compile", source, "--no-config", "--system-certs", "--universal"]
    command += ["--generate-hashes", "--python-version", "3.11", "--quiet"]
    command += ["--custom-compile-command", "python deploy/pin.py"]
    subprocess.run([*command, *options, "-o", str(target)], cwd=ROOT, check=True)


def build_pins() -> list[str]:
    """What `[build-system] requires` resolves to."""
    requires = tomllib.loads(PYPROJECT.read_text())["build-system"]["requires"]
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "build.in"), Path(folder, "build.txt")
        source.write_text("\n".join(requires))
        compile_pins(str(source), target)
        return pins(target)


def pins(file: Path) -> list[str]:
    """The lines `name==version ; marker` of a requirements file, without hashes."""
    return [match["pin"].strip() for match in PIN.finditer(file.read_text())]


def write_constraints(lists: dict[str, list[str]]) -> None:
    """Replaces the named lists in pyproject.toml."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in lists:
            return match[0]
        lines = "".join(f'  "{pin}",\n' for pin in lists[name])
        return f"{name} = [\n{lines}]\n"

    PYPROJECT.write_text(BLOCK.sub(block, PYPROJECT.read_text()))


if __name__ == "__main__":
    main()
