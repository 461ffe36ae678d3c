"""`python -m tests.browser.pictures [FOLDER]`: the pictures in the README, taken of the real thing.

A demo runs in a new home, `clearance up` goes on with that home, the partner asks for more over
HTTP, and a purpose reviewer signs in by her link: her inbox, and the page that she decides on."""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page, async_playwright

from api.parts import program
from tests.browser.desk import SIZES

FOLDER = Path("docs/pictures")
ASKED: tuple[dict[str, Any], ...] = (
    {"title": "Face matching research, second year", "retention_days": 730},
    {
        "title": "Does a face filter slim every face alike?",
        "intended_use": "Measure whether beauty filters change some faces more than others, and "
        "publish the measurements. No model is kept.",
        "purpose": "ai:BiasAssessment",
        "trains_models": False,
        "retention_days": 90,
    },
    {
        "title": "Portrait lighting from a single photo",
        "intended_use": "Train a small model that estimates where the light comes from.",
        "onward_recipients": ["Lumen Compute GmbH"],
    },
)


def main() -> None:
    """Everything that is started is ended again."""
    given = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__)
    given.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = given.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clearance-pictures-") as place:
        home = Path(place) / "home"
        told = _said(program("demo", "--home", str(home), "--json"))
        asyncio.run(_taken(home, told["request"], folder))


async def _taken(home: Path, request: str, folder: Path) -> None:
    async with _up(home) as system, async_playwright() as playwright:
        second = await _asked(home, system, request)
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        width, height = SIZES["desk"]
        page = await browser.new_page(viewport={"width": width, "height": height})
        link = next(one["url"] for one in system["sign_in"] if one["role"] == "purpose_reviewer")
        await page.goto(link)
        await page.get_by_role("button", name="Sign in").click()
        for name, path in (("inbox", "/reviews"), ("request", f"/requests/{second}")):
            await _picture(page, f"{system['url']}{path}", folder / f"{name}.png")
        await browser.close()


async def _picture(page: Page, address: str, file: Path) -> None:
    answer = await page.goto(address)
    if answer is None or not answer.ok:
        raise SystemExit(f"{address} gave no page: {answer and answer.status}")
    await page.screenshot(path=file)
    print(f"{file}: {file.stat().st_size:,} bytes")


async def _asked(home: Path, system: dict[str, Any], request: str) -> str:
    """The partner asks for as much again, thrice, and for something else; gives the first's id."""
    admin, base = _token(home, "admin"), system["url"]
    async with httpx2.AsyncClient(base_url=base, trust_env=False, timeout=60) as http:
        first = (await http.get(f"/v1/requests/{request}", headers=_bearer(admin))).json()
        own = _bearer(_token(home, "partner", "--partner", first["partner"]))
        given = (await http.get(f"/v1/requests/{request}", headers=own)).json()
        made = []
        for changes in ASKED:
            body = {name: given[name] for name in _BODY} | changes
            answer = await http.post("/v1/requests", json=body, headers=own)
            if answer.status_code != httpx2.codes.CREATED:
                raise SystemExit(answer.text)
            made.append(str(answer.json()["id"]))
    return made[0]


_BODY = (
    "title", "dataset", "purpose", "intended_use", "scope", "legal_basis",
    "special_category_basis", "retention_days", "trains_models", "onward_recipients", "sponsor",
    "delivery",
)  # fmt: skip


@asynccontextmanager
async def _up(home: Path) -> AsyncIterator[dict[str, Any]]:
    """`clearance up` with its addresses and links."""
    command = program("up", "--home", str(home), "--port", "0", "--json")
    system = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=dict(os.environ))
    try:
        assert system.stdout
        yield json.loads(await system.stdout.readline())
    finally:
        system.terminate()
        await system.wait()


def _token(home: Path, role: str, *more: str) -> str:
    command = program("token", "Pictures", "--role", role, "--home", str(home), *more)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _said(command: tuple[str, ...] | list[str]) -> dict[str, Any]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    main()
