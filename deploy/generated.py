"""Makes docs/permissions.md and docs/states.md from the code.

uv run python -m deploy.generated            writes both
uv run python -m deploy.generated --check    exit 1 where one of them is not what it would be
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from fastapi.routing import APIRoute

from api.app import ROUTES
from api.auth import ALLOWED
from sharing.eligibility import Act, Actor, Case, demand, roles_for
from sharing.errors import NotEligible
from sharing.stages import ENDED, GATES, RequestState, Role, Stage
from sharing.transitions import TRANSITIONS

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = (
    "Made from the code by `uv run python -m deploy.generated`. A test fails where the two differ."
)
ME, OTHER = "per_me", "per_other"
NOTHING = Case("ptr", None, frozenset(), frozenset())
I_HOLD_ALL = Actor(ME, frozenset(Role))
FOR_OTHER = replace(I_HOLD_ALL, stands_for=frozenset((role, OTHER) for role in Role))

# What may stand in somebody's way, as the one eligibility function is asked about it.
OBSTACLES: dict[str, tuple[Actor, Case]] = {
    "lacks the role": (replace(I_HOLD_ALL, roles=frozenset()), NOTHING),
    "works for a partner": (replace(I_HOLD_ALL, partner_id="ptr"), NOTHING),
    "is the sponsor": (I_HOLD_ALL, replace(NOTHING, sponsor=ME)),
    "is recused": (I_HOLD_ALL, replace(NOTHING, recused=frozenset({ME}))),
    "acts for somebody who is the sponsor": (FOR_OTHER, replace(NOTHING, sponsor=OTHER)),
    "acts for somebody recused": (FOR_OTHER, replace(NOTHING, recused=frozenset({OTHER}))),
    "has decided here": (I_HOLD_ALL, replace(NOTHING, deciders=frozenset({ME}))),
    "acts for somebody who decided here": (
        FOR_OTHER,
        replace(NOTHING, deciders=frozenset({OTHER})),
    ),
    "has decided on what is void by now": (
        I_HOLD_ALL,
        replace(NOTHING, earlier_deciders=frozenset({ME})),
    ),
    "has triggered this export": (I_HOLD_ALL, replace(NOTHING, triggered_by=ME)),
}


def permissions() -> str:
    """Who may call what, who may do what to a request, and what stands in the way."""
    return _page("Permissions", _calls(), _acts(), _obstacles())


def states() -> str:
    """Which state of a request follows which, drawn and in a table."""
    return _page("States", _diagram(), _steps())


PAGES = {"permissions.md": permissions, "states.md": states}


def _page(title: str, *parts: Iterable[str]) -> str:
    lines = [f"# {title}", "", MADE]
    for part in parts:
        lines += ["", *part]
    return "\n".join(lines) + "\n"


def _table(heading: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    for row in (heading, ["---"] * len(heading), *rows):
        yield f"| {' | '.join(row)} |"


def _calls() -> Iterator[str]:
    yield from (
        "## Calls",
        "",
        "A token speaks for one role. `yes`: that role may make the call.",
        "",
    )
    rows = []
    for route in (r for noun in ROUTES for r in noun.router.routes if isinstance(r, APIRoute)):
        allowed = ALLOWED[route.name]
        may = ["anyone" if allowed is None else "yes" if r in allowed else "" for r in Role]
        rows += [[f"`{method} {route.path}`", *may] for method in sorted(route.methods or ())]
    yield from _table(["call", *Role], sorted(rows))


def _acts() -> Iterator[str]:
    yield from (
        "## Acts on a request",
        "",
        "Asked again in the transaction that records the act.",
        "",
    )
    rows = [
        [f"`{act}`", f"`{stage}`" if stage else "", ", ".join(sorted(roles_for(act, stage)))]
        for act, stage in _places()
    ]
    yield from _table(["act", "at", "one of the roles"], rows)


def _places() -> Iterator[tuple[Act, Stage | None]]:
    for act in Act:
        at_gates = act in (Act.DECIDE, Act.CLAIM, Act.ASSIGN)
        yield from ((act, stage) for stage in (GATES if at_gates else (None,)))


def _obstacles() -> Iterator[str]:
    yield from ("## What stands in the way", "")
    yield "The `why` of `not_eligible`, for somebody with every role who ...; empty: they may."
    yield ""
    first = {act: next(stage for one, stage in _places() if one is act) for act in Act}
    rows = [
        [name, *(_why(act, first[act], *obstacle) for act in Act)]
        for name, obstacle in OBSTACLES.items()
    ]
    yield from _table(["who", *(f"`{act}`" for act in Act)], rows)


def _why(act: Act, stage: Stage | None, actor: Actor, case: Case) -> str:
    try:
        demand(act, actor, case, stage)
    except NotEligible as refused:
        return f"`{refused.why}`"
    return ""


def _diagram() -> Iterator[str]:
    yield from ("## The diagram", "", "```mermaid", "stateDiagram-v2")
    for one in TRANSITIONS:
        yield f"    {one.before or '[*]'} --> {one.after}: {one.by.replace(':', ',')}"
    reached = {one.after for one in TRANSITIONS}
    yield from (f"    {state} --> [*]" for state in RequestState if state in ENDED & reached)
    yield "```"


def _steps() -> Iterator[str]:
    yield from ("## The table", "", "A step that is not here is refused with `wrong_state`.", "")
    rows = [
        [f"`{one.before}`" if one.before else "", f"`{one.after}`", one.by] for one in TRANSITIONS
    ]
    yield from _table(["from", "to", "by"], rows)
    never = [f"`{s}`" for s in RequestState if s not in {one.after for one in TRANSITIONS}]
    if never:
        yield from ("", f"Nothing leads to {', '.join(never)} yet.")


def main(arguments: list[str]) -> int:
    """Writes the pages, or says which of them are not what they would be."""
    stale = []
    for name, make in PAGES.items():
        file, text = DOCS / name, make()
        if file.is_file() and file.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            file.write_text(text)
    if stale and "--check" in arguments:
        names = ", ".join(f"docs/{name}" for name in stale)
        print(f"{names}: not what the code says. Run: uv run python -m deploy.generated")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
