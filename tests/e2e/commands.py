"""Our commands, run as anybody runs them: each a process of its own."""

import asyncio
import json
from pathlib import Path
from typing import Any

from api import parts

PATIENCE = 180.0  # seconds; a demo takes ten where nothing else runs


async def said(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `clearance WORDS`."""
    process = await asyncio.create_subprocess_exec(
        *parts.program(*words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def demo(home: Path, *words: str) -> dict[str, Any]:
    """What a demo that holds says last."""
    code, out, err = await said("demo", "--json", "--home", str(home), *words)
    assert code == 0, err[-3000:]
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


async def verified(package: str, key: str) -> tuple[int, str]:
    """Exit code and stdout of `clearance verify`."""
    code, out, _ = await said("verify", package, "--key", key)
    return code, out
