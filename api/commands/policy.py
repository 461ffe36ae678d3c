"""`clearance policy ...`: check a file of policy, propose it, try it out, approve it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from api.commands.telling import Calling, err, out, show_json
from api.http_client import Json

CALLING = Calling()


def check(file: Path, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check a file of policy offline. Exit 1, with line and key, if it cannot be used.

    Whether there are enough people for it is looked at when it is proposed.

    Parameters
    ----------
    file
        The policy: TOML, as docs/policy.md explains it.
    json
        Answer with JSON.
    """
    from sharing.policy_reader import PolicyError
    from sharing.rulebook_file import read

    try:
        policy = read(_text(file))
    except PolicyError as failure:
        wrong = [{"line": p.line, "key": p.key, "message": p.message} for p in failure.problems]
        if json:
            show_json({"ok": False, "problems": wrong})
        for problem in failure.problems:
            err().print(f"{file}: {problem}", style="red", markup=False)
        return 1
    names = [rule.name for rule in policy.rules]
    if json:
        show_json({"ok": True, "rules": names})
    else:
        out().print(f"{file} can be used: {len(names)} rules.", markup=False)
        for name in names:
            out().print(f"  {name}", markup=False)
    return 0


async def propose(file: Path, /, *, reason: str, calling: Calling = CALLING) -> int:
    """Propose a file of policy as the next version. Another admin has to approve it.

    Parameters
    ----------
    file
        The policy: TOML.
    reason
        Why it should be so; it stays on record.
    """
    body = {"text": _text(file), "reason": reason}
    async with calling.api() as api:
        made = await api.post("/v1/policies", body)
        tried = await api.get(f"/v1/policies/{made['number']}/dry-run")
    if calling.json:
        show_json({**made, "dry_run": tried})
        return 0
    _told(made)
    _tried(tried)
    out().print(f"In force after another admin's `clearance policy approve {made['number']}`.")
    return 0


async def approve(number: int, /, *, calling: Calling = CALLING) -> int:
    """Put a version in force, as another admin than who proposed it.

    Parameters
    ----------
    number
        The version.
    """
    async with calling.api() as api:
        approved = await api.post(f"/v1/policies/{number}/approve")
    show_json(approved) if calling.json else _told(approved)
    return 0


async def dry_run(number: int, /, *, calling: Calling = CALLING) -> int:
    """What the requests on record would need under a version, beside what they need now.

    Parameters
    ----------
    number
        The version.
    """
    async with calling.api() as api:
        tried = await api.get(f"/v1/policies/{number}/dry-run")
    show_json(tried) if calling.json else _tried(tried)
    return 0


async def show(number: int | None = None, /, *, calling: Calling = CALLING) -> int:
    """One version's text; without a number, that of the one in force.

    Parameters
    ----------
    number
        The version.
    """
    async with calling.api() as api:
        if number is None:
            every = [one async for one in api.items("/v1/policies")]
            number = next(one["number"] for one in every if one["state"] == "in_force")
        found = await api.get(f"/v1/policies/{number}")
    if calling.json:
        show_json(found)
        return 0
    _told(found)
    out().print()
    out().print(found["text"], markup=False)
    return 0


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        from api.told import Told

        raise Told(f"{file}: is not text in UTF-8.") from None


def _told(policy: Json) -> None:
    state = policy["state"].replace("_", " ")
    out().print(f"Policy {policy['number']}: {state}. {policy['reason']}", markup=False)


def _tried(found: Json) -> None:
    for sentence, change in zip(found["sentences"], found["changes"] or [None], strict=False):
        out().print(f"  {sentence}", markup=False)
        if change:
            more = "" if change["count"] == len(change["ids"]) else ", ..."
            out().print(f"    {', '.join(change['ids'])}{more}", markup=False)
