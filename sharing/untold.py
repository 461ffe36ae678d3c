"""What a partner is told of counts before anything was delivered to it: enough to follow its own
request, and too little to learn from two requests what one person said. Pure.

A count at gate 2 is exact for people inside. A partner that could read it would ask twice, with and
without one person, and subtract. So it reads quarters, as in an outlook (sharing.outlook), the
edges moved by a nudge that differs from scope to scope; results that hang on a single person, such
as that nobody or everybody agreed, are a gap to it. What was released it may count itself.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from sharing import outlook
from sharing.findings import gap
from sharing.outlook import FEWEST, Band
from sharing.public_register import volume

View = Mapping[str, Any]
Nudge = Callable[[str], float]


def scope_key(partner_id: str, dataset: str, index: int, body: View, objects: int) -> str:
    """A name, as sha256, for the scope that was counted. `objects` stands for the limit: whoever
    asks for more than there is, in many ways, has the same edges each time."""
    scope = {name: value for name, value in body["scope"].items() if name != "limit"}
    said = [partner_id, dataset, index, body["purpose"], scope, objects]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def share(covered: int, people: int, nudge: Nudge | None, key: str) -> Band | None:
    """Which part of the people consent covers, as a partner may know it; None where it may not."""
    number = None if nudge is None else outlook.band(covered, people, nudge(key))
    return None if number is None else outlook.told(number)


def finding(found: View, objects: int | None, agreed: Band | None) -> View:
    """A finding of gate 2 without anything that could point at one person."""
    match found["check"]:
        case "scope_size":
            return {**found, "detail": _scope(found, objects)}
        case "subjects_covered":
            return _covered(agreed)
        case "objects_excluded":
            return _view(
                "objects_excluded",
                "Whoever did not agree is left out, and nobody takes their place. How many objects "
                "that is, and why, you read in the manifest once it is delivered.",
            )
    return found


def _scope(found: View, objects: int | None) -> str:
    if found["result"] == "violation":
        return "There is nothing in scope to share."
    if objects is None:
        return "There are objects in scope."
    size = volume(objects)
    if size.about is None:
        return f"Fewer than {size.below} objects are in scope."
    return f"About {size.about} objects are in scope."


def _covered(agreed: Band | None) -> View:
    if agreed is None:
        return _view(
            "subjects_covered",
            f"How many people agreed is told to you only from {FEWEST} people on, so that it shows "
            "nobody what one of them said. People inside have the exact count.",
        )
    low, high = (f"{100 * one:.0f} %" for one in (agreed.low, agreed.high))
    if agreed.low == 0:
        return _view("subjects_covered", f"At most {high} of the people in scope agreed to this.")
    told = f"Between {low} and {high} of the people in scope agreed to this, and it still holds."
    return {"check": "subjects_covered", "result": "compliant", "detail": told}


def _view(check: str, detail: str) -> View:
    one = gap(check, detail)
    return {"check": one.check, "result": str(one.result), "detail": one.detail}


def progress(view: View, agreed: Band | None) -> dict[str, Any]:
    """How an export comes on before it is released: shards are whole, so they can be told; of
    objects and bytes only what follows from them and from how many agreed (`rough`)."""
    made = view["shards"]["done"] / (view["shards"]["total"] or 1)
    packed, left = (agreed.low, 1 - agreed.high) if agreed else (0.0, 0.0)
    return {
        **view,
        "rough": True,
        "objects": int(packed * made * (view["total"] or 0)),
        "bytes": int(packed * made * (view["bytes_in_scope"] or 0)),
        "excluded": int(left * made * (view["total"] or 0)),
        "under_way": {**view["under_way"], "objects": 0, "bytes": 0},
        "objects_per_second": None,
        "bytes_per_second": None,
        "seconds_left": None,
    }
