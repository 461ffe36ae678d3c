"""`clearance dataset index`: notes what a dataset's folder holds."""

from api.commands.telling import Calling, out, show_json

CALLING = Calling()


async def index(name: str, /, *, calling: Calling = CALLING) -> int:
    """Scan a dataset's folder and note its objects and whose they are.

    Parameters
    ----------
    name
        The dataset's name.
    """
    async with calling.api() as api:
        answer = await api.post(f"/v1/datasets/{name}/index", {})
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
