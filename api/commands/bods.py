"""Statements of the Beneficial Ownership Data Standard 0.4 as organisations and their owners."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sharing.ownership import BODS

Json = dict[str, Any]
LEI_SCHEME = "XI-LEI"


def told_by_bods(statements: Sequence[Any]) -> Iterator[tuple[int, Json | str]]:
    """(number of the statement from 1, what it tells or why it tells nothing). Persons and entities
    are known by their record ids; of a record stated again the last statement counts."""
    known = _parties(statements)
    for number, statement in enumerate(statements, 1):
        kind = statement.get("recordType") if isinstance(statement, dict) else None
        try:
            match kind:
                case "entity" | "person":
                    yield number, _party(statement)
                case "relationship":
                    for told in _relationship(statement, known):
                        yield number, told
                case _:
                    yield number, "recordType: must be entity, person or relationship."
        except (ValueError, TypeError, AttributeError, KeyError) as problem:
            yield number, _said(problem)


def _said(problem: Exception) -> str:
    return str(problem) if type(problem) is ValueError else "is not a statement of BODS 0.4."


def _parties(statements: Sequence[Any]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for statement in statements:
        if isinstance(statement, dict) and statement.get("recordType") in ("entity", "person"):
            try:
                told = _party(statement)
            except (ValueError, TypeError, AttributeError, KeyError):
                continue
            found[told["ref"]] = {n: v for n, v in told.items() if n != "aliases"}
    return found


def _party(statement: Mapping[str, Any]) -> Json:
    ref, details = _record(statement), statement.get("recordDetails") or {}
    if statement["recordType"] == "person":
        names = [one["fullName"] for one in details.get("names") or () if one.get("fullName")]
        return {"ref": ref, "person": True, **({"name": names[0]} if names else {})}
    lei = next((one.get("id") for one in details.get("identifiers") or () if _is_lei(one)), None)
    told = {"ref": ref, "name": details.get("name"), "lei": lei}
    others = list(details.get("alternateNames") or ())
    return {**{n: v for n, v in told.items() if v}, **({"aliases": others} if others else {})}


def _record(statement: Mapping[str, Any]) -> str:
    ref = statement.get("recordId")
    if not isinstance(ref, str) or not ref:
        raise ValueError("recordId: is required.")
    return ref


def _is_lei(identifier: Mapping[str, Any]) -> bool:
    return identifier.get("scheme") == LEI_SCHEME


def _relationship(statement: Mapping[str, Any], known: Mapping[str, Json]) -> Iterator[Json]:
    """A line for each interest. One that nobody is named for tells nothing of the graph."""
    details = statement["recordDetails"]
    subject, party = details.get("subject"), details.get("interestedParty")
    if not isinstance(subject, str):
        raise ValueError("recordDetails.subject: must be the recordId of an entity.")
    if not isinstance(party, str):
        raise ValueError("recordDetails.interestedParty: nobody is named.")
    owned, owner = known.get(subject, {"ref": subject}), known.get(party, {"ref": party})
    ended = statement.get("recordStatus") == "closed"
    interests = details.get("interests") or [{"type": "unknownInterest"}]
    holds: dict[str, Json] = {}
    for interest in interests:
        hold = _hold(interest, statement.get("statementDate") if ended else None)
        kept = holds.setdefault(hold["kind"], hold)
        if hold.get("share", 0) > kept.get("share", 0):
            holds[hold["kind"]] = hold  # of shares and votes the larger part
    yield {**owned, "parents": [{**owner, **hold} for hold in holds.values()]}


def _hold(interest: Mapping[str, Any], closed: str | None) -> Json:
    kind = BODS.get(interest.get("type", "unknownInterest"))
    if kind is None:
        raise ValueError(
            f"interests.type: {interest.get('type')!r} is not known; use one of {', '.join(BODS)}."
        )
    until = interest.get("endDate") or closed
    share = interest.get("share") or {}
    most = share.get("exact", share.get("maximum", share.get("exclusiveMaximum")))
    least = share.get("exact", share.get("minimum", share.get("exclusiveMinimum", 0)))
    told = {
        "kind": str(kind),
        "share": most / 100 if most else None,
        "at_least": least / 100 if most and least is not None else None,
        "from": (interest.get("startDate") or "")[:10] or None,
        "until": until[:10] if until else None,
    }
    return {name: value for name, value in told.items() if value is not None}
