"""Files of who owns whom into a real API: GLEIF, BODS, lines of our own, bad lines."""

import asyncio
import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.api.served import served
from tests.api.world import LEI, World
from tests.e2e.commands import PATIENCE

PARENT, FUND = "254900OPPU84GM83MG36", "7LTWFZYICNSX8D621K86"
START, END = "Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID"
DIRECT = "IS_DIRECTLY_CONSOLIDATED_BY"


def relationship(start: str = LEI, end: str = PARENT, **changes: str) -> dict[str, str]:
    """A row of GLEIF level 2 as it is published."""
    return {
        START: start,
        "Relationship.StartNode.NodeIDType": "LEI",
        END: end,
        "Relationship.EndNode.NodeIDType": "LEI",
        "Relationship.RelationshipType": DIRECT,
        "Relationship.RelationshipStatus": "ACTIVE",
        "Relationship.Period.1.startDate": "2019-01-01T00:00:00Z",
        "Relationship.Period.1.endDate": "2019-12-31T00:00:00Z",
        "Relationship.Period.1.periodType": "ACCOUNTING_PERIOD",
        "Relationship.Period.2.startDate": "2012-11-29T00:00:00.000Z",
        "Relationship.Period.2.endDate": "",
        "Relationship.Period.2.periodType": "RELATIONSHIP_PERIOD",
        "Relationship.Quantifiers.1.QuantifierAmount": "",
        "Relationship.Quantifiers.1.QuantifierUnits": "",
        "Registration.RegistrationStatus": "PUBLISHED",
        "Registration.LastUpdateDate": "2024-05-01T09:00:00Z",
        **changes,
    }


def as_csv(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Rows as CSV with a heading, as GLEIF writes them: everything in quotes."""
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    return file


async def imported(world: World, *words: str) -> tuple[int, Any, str]:
    """`clearance organisations import` as a process: its exit code, answer, and what it said."""
    async with served(world.app) as there:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.cli", "organisations", "import", *words, "--json",
            "--url", str(there.base_url),
            env={**os.environ, "CLEARANCE_TOKEN": world.tokens["conflict_officer"]},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, aside = await asyncio.wait_for(program.communicate(), PATIENCE)
    lines = said.decode().splitlines()
    return program.returncode or 0, json.loads(lines[-1]) if lines else None, aside.decode()


async def owners(world: World, search: str) -> list[dict[str, Any]]:
    """Who owns the one organisation that is found."""
    (one,) = (await world.get("auditor", "/v1/organisations", search=search)).json()["items"]
    return list(one["parents"])


async def test_gleif_relationships(here: World, tmp_path: Path) -> None:
    """Rows of GLEIF level 2 become edges with their kinds, shares and days; the same file again is
    known; names come with level 1, whichever comes first."""
    file = as_csv(
        tmp_path / "rr.csv",
        [
            relationship(),
            relationship(FUND, PARENT, **{"Relationship.RelationshipType": "IS_FUND-MANAGED_BY"}),
            relationship(
                PARENT, FUND,
                **{
                    "Relationship.RelationshipStatus": "INACTIVE",
                    "Relationship.Quantifiers.1.QuantifierAmount": "51.50",
                    "Relationship.Quantifiers.1.QuantifierUnits": "PERCENTAGE",
                },
            ),
        ],
    )  # fmt: skip
    code, first, _ = await imported(here, str(file))
    assert (code, first["edges"], first["refused"]) == (0, 3, [])
    assert (await imported(here, str(file)))[1]["known"] == 3
    names = [{"LEI": PARENT, "Entity.LegalName": "Aurora Holdings",
              "Entity.OtherEntityNames.OtherEntityName.1": "Aurora",
              "Entity.OtherEntityNames.OtherEntityName.1.type": "TRADING"}]  # fmt: skip
    assert (await imported(here, str(as_csv(tmp_path / "lei2.csv", names))))[0] == 0
    (up,) = await owners(here, LEI)
    assert (up["name"], up["kind"], up["from"], up["until"]) == (
        "Aurora Holdings", "subsidiary", "2012-11-29", None,
    )  # fmt: skip
    (down,) = await owners(here, "aurora")
    assert (down["lei"], down["share"], down["until"]) == (FUND, 0.515, "2024-05-01")
    assert (await owners(here, FUND))[0]["kind"] == "fund"


async def test_bad_rows_are_named(here: World, tmp_path: Path) -> None:
    """Each row that cannot be is named by its line and reason; the others are in."""
    share = {"Relationship.Quantifiers.1.QuantifierUnits": "PERCENTAGE"}
    amount = "Relationship.Quantifiers.1.QuantifierAmount"
    bad = [
        (relationship(LEI[:-1] + "3"), "lei"),
        (relationship(LEI, "5493001KJTIIGC8Y1R13"), "check digits"),
        (relationship(**{"Relationship.RelationshipType": "IS_FRIEND_OF"}), "RelationshipType"),
        (relationship(**{"Relationship.StartNode.NodeIDType": "ISIN"}), "NodeIDType"),
        (relationship(**{"Registration.RegistrationStatus": "ANNULLED"}), "ANNULLED"),
        (relationship(**{"Relationship.Period.2.endDate": "2010-01-01"}), "until must not be"),
        (relationship(**{"Relationship.Period.2.endDate": "soon"}), "until"),
        (relationship(**share, **{amount: "101"}), "share"),
        (relationship(**share, **{amount: "half"}), "QuantifierAmount"),
    ]
    rows = [relationship(), *(row for row, _ in bad)]
    code, told, _ = await imported(here, str(as_csv(tmp_path / "rr.csv", rows)))
    assert (code, told["edges"]) == (1, 1)
    assert [one["line"] for one in told["refused"]] == list(range(3, len(bad) + 3))
    for one, (_, reason) in zip(told["refused"], bad, strict=True):
        assert reason in one["reason"], one


def statement(kind: str, record: str, **details: Any) -> dict[str, Any]:
    """A statement of BODS 0.4."""
    return {
        "statementId": f"s-{record}",
        "declarationSubject": "rec-partner",
        "statementDate": "2026-04-17",
        "recordId": record,
        "recordStatus": "new",
        "recordType": kind,
        "recordDetails": {"isComponent": False, **details},
    }


def interest(kind: str, **share: float) -> dict[str, Any]:
    """An interest in a relationship statement."""
    return {"type": kind, "directOrIndirect": "direct", "share": share, "startDate": "2010-01-01"}


BODS = [
    statement("entity", "rec-partner", name="Acme Ltd",
              identifiers=[{"scheme": "XI-LEI", "id": LEI}]),
    statement("entity", "rec-fund", name="Aurora Fund", alternateNames=["Boreal Fund"]),
    statement("person", "rec-jane", names=[{"type": "legal", "fullName": "Jane Smith"}]),
    statement("relationship", "rec-r1", subject="rec-partner", interestedParty="rec-fund",
              interests=[interest("votingRights", exact=40),
                         interest("shareholding", minimum=25, maximum=50),
                         interest("appointmentOfBoard")]),
    statement("relationship", "rec-r2", subject="rec-fund", interestedParty="rec-jane",
              interests=[interest("shareholding", exact=75)]),
]  # fmt: skip


async def test_bods_statements(here: World, tmp_path: Path) -> None:
    """Statements of BODS become organisations and edges: the larger of shares and votes, a range by
    its ends, persons as nodes that are nobody on record here."""
    file = tmp_path / "bods.json"
    file.write_text(json.dumps(BODS))
    code, told, _ = await imported(here, str(file))
    assert (code, told["edges"], told["organisations"]) == (0, 3, 2)
    seen = {one["kind"]: one for one in await owners(here, LEI)}
    assert set(seen) == {"ownership", "control"}
    assert (seen["ownership"]["share"], seen["ownership"]["at_least"]) == (0.5, 0.25)
    (jane,) = await owners(here, "boreal")
    assert (jane["name"], jane["share"], jane["from"]) == ("Jane Smith", 0.75, "2010-01-01")
    people = (await here.get("auditor", "/v1/people")).json()["items"]
    assert "Jane Smith" not in {person["name"] for person in people}
    assert (await imported(here, str(file)))[1]["known"] == 3


async def test_bad_statements_are_named(here: World, tmp_path: Path) -> None:
    """A statement that tells nothing, or what cannot be, is named by its number and reason."""
    nobody = {"reason": "subjectUnableToConfirmOrIdentifyBeneficialOwner"}
    bad = [
        (statement("relationship", "r", subject="rec-partner", interestedParty=nobody), "nobody"),
        (statement("relationship", "r", interestedParty="rec-fund"), "subject"),
        (statement("relationship", "r", subject="rec-partner", interestedParty="rec-fund",
                   interests=[interest("friendship")]), "friendship"),
        (statement("relationship", "r", subject="rec-partner", interestedParty="rec-fund",
                   interests=[interest("shareholding", exact=120)]), "share"),
        ({"recordType": "entity"}, "recordId"),
        ("not even an object", "recordType"),
        (statement("person", "p", names="Jane"), "BODS"),
    ]  # fmt: skip
    file = tmp_path / "bods.json"
    file.write_text(json.dumps([*BODS, *(one for one, _ in bad)]))
    code, told, _ = await imported(here, str(file))
    assert (code, told["edges"]) == (1, 3)
    assert [one["line"] for one in told["refused"]] == list(range(6, len(bad) + 6))
    for one, (_, reason) in zip(told["refused"], bad, strict=True):
        assert reason in one["reason"], one


async def test_own_lines(here: World, tmp_path: Path) -> None:
    """NDJSON takes lines as the API does; an import tells who is recused by it, and of what more
    than all is owned."""
    view = await here.submitted()
    await here.post("engineer", "/v1/interests", {
        "person": here.people["engineer"], "organisation": {"name": "Aurora Fund"},
        "kind": "fund", "from": "2020-01-01", "detail": "Mine."})  # fmt: skip
    owned = [{"name": "Aurora Fund", "share": 0.7}, {"name": "Other", "share": 0.6}]
    file = tmp_path / "own.ndjson"
    line = json.dumps({"name": "Acme", "lei": LEI, "parents": owned})
    file.write_text(f"{line}\n\n{{\n[]\n")
    code, told, _ = await imported(here, str(file))
    assert (code, [one["line"] for one in told["refused"]]) == (1, [3, 4])
    assert told["recused"] == [{"request": view["id"], "person": here.people["engineer"]}]
    assert told["warnings"] == ["More than all of Acme Ltd is owned, as recorded."]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", ""), ("a.csv", "LEI,Name\n"), ("a.json", "{"), ("a.json", "{}")],
)
async def test_other_files(here: World, tmp_path: Path, name: str, content: str) -> None:
    """A file that is none of the forms is wrong usage, and the answer names it."""
    file = tmp_path / name
    file.write_text(content)
    code, _, said = await imported(here, str(file))
    assert (code, name in said) == (2, True), said
