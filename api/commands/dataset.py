"""`clearance dataset index`: notes what a dataset's folder holds."""

import asyncio

from api.commands.telling import Calling, err, out, show_json
from api.http_client import POLL, Api, Json

CALLING = Calling()
SCANNING = 202  # the scan goes on


async def index(name: str, /, *, calling: Calling = CALLING) -> int:
    """Scan a dataset's folder and note its objects and whose they are.

    Parameters
    ----------
    name
        The dataset's name.
    """
    async with calling.api() as api:
        with err().status("Scanning"):
            answer = await scanned(api, name)
    if calling.json:
        show_json(answer)
    else:
        counts = ", ".join(
            f"{answer[what]:,} {what}"
            for what in ("objects", "subjects", "bytes")
            if what in answer
        )
        out().print(f"{name}: {counts or 'indexed'}")
    return 0


async def scanned(api: Api, name: str) -> Json:
    """Has a dataset scanned, and waits for as long as that takes; gives the dataset."""
    path = f"/v1/datasets/{name}"
    version = (await api.get(path)).get("index_version")
    status, dataset = await api.posted(f"{path}/index", {})
    while status == SCANNING and dataset.get("index_version") == version:
        await asyncio.sleep(POLL)
        dataset = await api.get(path)
    return dict(dataset)
