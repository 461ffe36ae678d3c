"""Pins: one version of everything, the same for `uv run`, for images and for the build."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CURE = "Run `python deploy/pin.py` and commit what it writes."
REQUIREMENTS = ("deploy/requirements.txt", "deploy/requirements-dev.txt")
PIN_LINE = re.compile(r"^[A-Za-z0-9]\S*==.*$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pinned(lines: list[str]) -> dict[str, str]:
    """Name to version of lines such as `idna==3.20 ; marker`."""
    requirements = [Requirement(line.split("\\")[0]) for line in lines]
    return {canonicalize_name(one.name): str(one.specifier)[2:] for one in requirements}


def pins_of(path: str) -> dict[str, str]:
    """Name to version of a requirements file."""
    return pinned(PIN_LINE.findall((ROOT / path).read_text()))


def unpinned(wanted: list[str], pins: dict[str, str]) -> list[str]:
    """The requirements among `wanted` that `pins` lacks or contradicts."""
    requirements = [Requirement(text) for text in wanted]
    return [
        str(one)
        for one in requirements
        if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"), prereleases=True)
        or canonicalize_name(one.name) not in pins
    ]


def test_every_direct_dependency_is_pinned_for_images() -> None:
    """Each dependency of the product has a pin in its range in deploy/requirements.txt."""
    wanted = PROJECT["project"]["dependencies"]
    assert unpinned(wanted, pins_of("deploy/requirements.txt")) == [], CURE


def test_every_direct_dependency_is_pinned_for_development() -> None:
    """Each dependency of the product or its tests has a pin in deploy/requirements-dev.txt."""
    wanted = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    assert unpinned(wanted, pins_of("deploy/requirements-dev.txt")) == [], CURE


def test_a_missing_and_a_contradicted_pin_are_both_seen() -> None:
    """The check itself tells a dependency without a pin, and one whose pin is out of range."""
    assert unpinned(["idna>=3", "rich>=15", "attrs"], {"idna": "3.20", "rich": "14.0"}) == [
        "rich>=15",
        "attrs",
    ]


def test_uv_run_takes_the_same_versions_as_images() -> None:
    """The constraints in pyproject.toml are exactly the pins of deploy/requirements-dev.txt."""
    constraints = pinned(PROJECT["tool"]["uv"]["constraint-dependencies"])
    assert constraints == pins_of("deploy/requirements-dev.txt"), CURE


def test_images_and_development_agree() -> None:
    """What an image installs has the version that the tests ran with."""
    development = pins_of("deploy/requirements-dev.txt")
    images = pins_of("deploy/requirements.txt")
    assert {name: development.get(name) for name in images} == images, CURE


def test_the_build_is_pinned() -> None:
    """The build backend names one exact version, and what it needs is constrained too."""
    requires = PROJECT["build-system"]["requires"]
    assert all("==" in one for one in requires)
    constraints = pinned(PROJECT["tool"]["uv"]["build-constraint-dependencies"])
    assert unpinned(requires, constraints) == [], CURE
    assert len(constraints) > len(requires)


@pytest.mark.parametrize("path", REQUIREMENTS)
def test_every_pin_has_hashes_and_no_address(path: str) -> None:
    """A requirements file holds a digest for each pin, and no line says where to download from."""
    text = (ROOT / path).read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if not HASH.search(block)] == []
    assert re.search(r"://|--index|--extra-index|--find-links| @ ", text) is None
