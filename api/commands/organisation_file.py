"""Organisations out of a file: GLEIF level 1 or 2 as CSV, BODS 0.4 as JSON, or lines of our own,
each as `POST /v1/organisations` takes it. What a field may hold, the API judges."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.commands.bods import told_by_bods
from api.told import WrongUsage
from sharing.ownership import GLEIF

Json = dict[str, Any]
Row = Mapping[str, str]

START, END = "Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID"
KIND, STATUS = "Relationship.RelationshipType", "Relationship.RelationshipStatus"
NAME = "Entity.LegalName"
_OTHER_NAME = re.compile(
    r"Entity\.(?:OtherEntityNames\.OtherEntityName|"
    r"TransliteratedOtherEntityNames\.TransliteratedOtherEntityName)\.\d+"
)
_NOT_VALID = frozenset({"ANNULLED", "DUPLICATE"})
LONGEST_NAME = 200
TIMES = range(1, 6)  # a GLEIF row has up to five periods and quantifiers


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file by its number: what it tells, or why it tells nothing."""

    number: int
    told: Json | None
    reason: str = ""


def lines(file: Path, source: str | None) -> Iterator[Line]:
    """Every line of a file; of BODS every statement. Raises WrongUsage for other files."""
    match file.suffix.lower():
        case ".csv":
            return _gleif(file, source or "gleif")
        case ".json":
            return _bods(file, source or "bods")
        case ".ndjson" | ".jsonl":
            return _own(file, source)
    raise WrongUsage(
        f"{file}: organisations come as .csv (GLEIF), .json (BODS 0.4) or .ndjson (one object a "
        "line, as POST /v1/organisations takes it)."
    )


def _gleif(file: Path, source: str) -> Iterator[Line]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text)
        heading = frozenset(rows.fieldnames or ())
        if {START, END, KIND} <= heading:
            read = _relationship
        elif {"LEI", NAME} <= heading:
            read = _legal_entity
        else:
            raise WrongUsage(
                f"{file}: the heading has neither {START}, {END} and {KIND} (GLEIF level 2) nor "
                f"LEI and {NAME} (level 1)."
            )
        for row in rows:
            if None in row:
                yield Line(rows.line_num, None, "more columns than the heading names")
                continue
            try:
                told = read({name: (cell or "").strip() for name, cell in row.items()})
            except ValueError as problem:
                yield Line(rows.line_num, None, str(problem))
            else:
                yield Line(rows.line_num, {**told, "source": source})


def _relationship(row: Row) -> Json:
    """A row of level 2: the start node is what the end node consolidates, manages or heads."""
    known = GLEIF.get(row[KIND])
    if known is None:
        raise ValueError(f"{KIND}: {row[KIND]!r} is not known; use one of {', '.join(GLEIF)}.")
    for node in ("Start", "End"):
        if row.get(f"Relationship.{node}Node.NodeIDType", "LEI") not in ("LEI", ""):
            raise ValueError(f"Relationship.{node}Node.NodeIDType: must be LEI.")
    status = row.get("Registration.RegistrationStatus", "")
    if status in _NOT_VALID:
        raise ValueError(f"Registration.RegistrationStatus: {status}, so it tells nothing.")
    kind, start_owns = known
    owner, owned = (row[START], row[END]) if start_owns else (row[END], row[START])
    since, until = _period(row)
    hold = {"lei": owner, "kind": kind, "share": _share(row), "from": since, "until": until}
    given = {name: value for name, value in hold.items() if value is not None}
    return {"lei": owned, "parents": [given]}


def _period(row: Row) -> tuple[str | None, str | None]:
    """From when until when; a relationship that is no longer active ended somewhen."""
    since = until = None
    for n in TIMES:
        if row.get(f"Relationship.Period.{n}.periodType") == "RELATIONSHIP_PERIOD":
            since = row.get(f"Relationship.Period.{n}.startDate", "")[:10] or None
            until = row.get(f"Relationship.Period.{n}.endDate", "")[:10] or None
    if row.get(STATUS) == "INACTIVE" and until is None:
        until = row.get("Registration.LastUpdateDate", "")[:10] or None
        if until is None:
            raise ValueError(f"{STATUS}: INACTIVE, but nothing says since when.")
    return since, until


def _share(row: Row) -> float | None:
    for n in TIMES:
        if row.get(f"Relationship.Quantifiers.{n}.QuantifierUnits") == "PERCENTAGE":
            amount = row.get(f"Relationship.Quantifiers.{n}.QuantifierAmount", "")
            try:
                return float(amount) / 100 if amount else None
            except ValueError:
                raise ValueError(
                    f"Relationship.Quantifiers.{n}.QuantifierAmount: {amount!r} is no number."
                ) from None
    return None


def _legal_entity(row: Row) -> Json:
    others = [cell for name, cell in row.items() if cell and _OTHER_NAME.fullmatch(name)]
    aliases = [name for name in dict.fromkeys(others) if len(name) <= LONGEST_NAME]
    return {"lei": row["LEI"], "name": row[NAME], "aliases": aliases}


def _bods(file: Path, source: str) -> Iterator[Line]:
    try:
        statements = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise WrongUsage(f"{file} is not JSON: {str(problem)[:200]}") from None
    if not isinstance(statements, list):
        raise WrongUsage(f"{file}: BODS is a JSON list of statements.")
    for number, told in told_by_bods(statements):
        if isinstance(told, str):
            yield Line(number, None, told)
        else:
            yield Line(number, {**told, "source": source})


def _own(file: Path, source: str | None) -> Iterator[Line]:
    with file.open("rb") as data:
        for number, raw in enumerate(data, 1):
            if not raw.strip():
                continue
            try:
                told = json.loads(raw)
            except (ValueError, RecursionError) as problem:
                yield Line(number, None, f"not JSON: {str(problem)[:200]}")
                continue
            if not isinstance(told, dict):
                yield Line(number, None, "not an object")
            else:
                yield Line(number, {**told, **({"source": source} if source else {})})
