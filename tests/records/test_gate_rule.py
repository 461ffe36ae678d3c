"""The gate rule that the database keeps by itself, tried with hand-written SQL.

Every combination of what may stand behind a clearance is written row by row, past all our code,
and the database must let through exactly the one kind that is right.
"""

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sharing.stages import GATE_ROLES, GATES

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=30)
DIGEST, OTHER = "d" * 64, "e" * 64
GATE_STATES = ("approved", "refused", "undecided")
FLAWS = ("none", "recused", "role_lost", "sponsor", "stale_digest", "not_at_legal", "one_person_twice")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A connection past all our code; on SQLite with foreign keys on, as a careful hand would."""
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@dataclass(slots=True)
class Hand:
    """Writes rows by hand, on one connection, inside one transaction that is rolled back."""

    connection: Connection
    people: dict[str, str] = field(default_factory=dict)

    def run(self, statement: str, **values: object) -> None:
        self.connection.execute(text(statement), values)

    def row(self, table: str, **values: object) -> None:
        names = ", ".join(values)
        holes = ", ".join(f":{name}" for name in values)
        self.run(f"INSERT INTO {table} ({names}) VALUES ({holes})", **values)

    def refused(self, table: str, **values: object) -> bool:
        """True if the database said no to this row; the transaction goes on either way."""
        point = self.connection.begin_nested()
        try:
            self.row(table, **values)
        except DBAPIError:
            point.rollback()
            return True
        point.commit()
        return False


def stamp(hand: Hand, moment: datetime) -> object:
    """A moment as this database stores it."""
    if hand.connection.dialect.name == "sqlite":
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    return moment


def world(hand: Hand, flaw: str) -> None:
    """A request at its last gate, with all four gates open and one flaw, or none."""
    at = stamp(hand, AT)
    if hand.connection.dialect.name == "sqlite":
        hand.run("PRAGMA foreign_keys = ON")
    hand.row("partner", id="ptr", name="P", created_at=at)
    for stage in GATES:
        person = f"per_{stage}"
        hand.people[stage] = person
        hand.row("person", id=person, name=person, email=person, created_at=at)
        lost = flaw == "role_lost" and stage == "consent_verification"
        hand.row("role_grant", person_id=person, role=GATE_ROLES[stage], valid_from=at,
                 valid_until=stamp(hand, AT + timedelta(seconds=5)) if lost else None)
    if flaw == "one_person_twice":
        hand.people["legal_approval"] = hand.people["purpose_review"]
        hand.row("role_grant", person_id=hand.people["purpose_review"], role="legal_counsel",
                 valid_from=at)
    hand.row("dataset", id="dst", name="photos", location="x", category="pd:Picture",
             special_category=False, subject_from="path:{subject}/*", index_version=1, objects=0,
             subjects=0, bytes=0, created_at=at)
    # The sponsor and the state are made wrong only after the decisions, as an attacker would:
    # the decisions' own rule has let them in by then, and the clearance must look again.
    hand.row("request", id="req", partner_id="ptr", title="t", state="legal_approval", revision=1,
             digest=DIGEST, submitted_at=at)
    hand.row("revision", request_id="req", number=1, digest=DIGEST, dataset_id="dst",
             index_version=1, body="{}", submitted_at=at)
    hand.row("agreement", request_id="req", digest="a" * 64, terms="{}", drafted_at=at)


def decide(hand: Hand, stage: str, outcome: str) -> None:
    """One gate with its decision, written while the request is at that gate."""
    at = stamp(hand, AT + timedelta(seconds=1))
    hand.run("UPDATE request SET state = :stage", stage=stage)
    hand.row("gate", request_id="req", digest=DIGEST, stage=stage, findings="[]",
             findings_digest="f", opened_at=at, until=stamp(hand, LATER))
    person = hand.people[stage]
    hand.row("declaration", id=f"dcl_{stage}", person_id=person, request_id="req", at=at)
    hand.refused("decision", id=f"dec_{stage}", request_id="req", digest=DIGEST, stage=stage,
                 actor_id=person, outcome=outcome, reason="r", conditions="[]",
                 findings_digest="f", declaration_id=f"dcl_{stage}", at=at, signature="s")


def spoil(hand: Hand, flaw: str) -> None:
    """What goes wrong behind the decisions."""
    hand.run("UPDATE request SET state = 'legal_approval'")
    if flaw == "recused":
        at = stamp(hand, AT)
        hand.row("interest", id="int", person_id=hand.people["conflict_signoff"],
                 organisation="P", kind="fund", since=AT.date() if hand.connection.dialect.name
                 != "sqlite" else "2020-01-01", detail="", declared_by="x", declared_at=at)
        hand.row("recusal", request_id="req", person_id=hand.people["conflict_signoff"],
                 interest_id="int", relation="the partner", at=at)
    elif flaw == "sponsor":
        hand.run("UPDATE request SET sponsor = :who", who=hand.people["legal_approval"])
    elif flaw == "stale_digest":
        hand.row("revision", request_id="req", number=2, digest=OTHER, dataset_id="dst",
                 index_version=1, body="{}", submitted_at=stamp(hand, AT))
        hand.run("UPDATE request SET digest = :other, revision = 2", other=OTHER)
    elif flaw == "not_at_legal":
        hand.run("UPDATE request SET state = 'refused'")


def clearance(hand: Hand) -> dict[str, object]:
    """The row that everything is about."""
    return {
        "id": "clr", "request_id": "req", "digest": DIGEST, "outcome": "approved",
        **{f"{stage}_stage": stage for stage in GATES},
        **{f"{stage}_by": hand.people[stage] for stage in GATES},
        "agreement_digest": "a" * 64, "seal": "s",
        "cleared_at": stamp(hand, AT + timedelta(seconds=10)), "valid_until": stamp(hand, LATER),
    }


def accepted(connection: Connection, states: Sequence[str], flaw: str) -> bool:
    """Writes one combination and says whether the database took the clearance."""
    hand = Hand(connection)
    world(hand, flaw)
    for stage, state in zip(GATES, states, strict=True):
        if state != "undecided":
            decide(hand, stage, state)
    spoil(hand, flaw)
    return not hand.refused("clearance", **clearance(hand))


async def test_truth_table_of_clearances(engine: AsyncEngine) -> None:
    """Of 3 x 3 x 3 x 3 gate states times seven flaws, 567 in all, exactly one is cleared."""
    taken = []
    async with engine.connect() as connection:
        for states in itertools.product(GATE_STATES, repeat=4):
            for flaw in FLAWS:
                transaction = await connection.begin()
                if await connection.run_sync(accepted, states, flaw):
                    taken.append((states, flaw))
                await transaction.rollback()
    assert taken == [(("approved",) * 4, "none")]
