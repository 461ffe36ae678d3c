"""Rows written by hand, past all our code: what somebody with a database console could try."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from sharing.stages import GATE_ROLES, GATES

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=30)
CLEARED = AT + timedelta(seconds=10)
DIGEST, OTHER, EARLIER = "d" * 64, "e" * 64, "c" * 64
AGREED = "a" * 64


@dataclass(slots=True)
class Hand:
    """Writes on one connection, inside one transaction that is rolled back in the end."""

    connection: Connection
    people: dict[str, str] = field(default_factory=dict)

    @property
    def sqlite(self) -> bool:
        """True on SQLite, False on PostgreSQL."""
        return self.connection.dialect.name == "sqlite"

    def run(self, statement: str, /, **values: object) -> None:
        """One statement with named holes."""
        self.connection.execute(text(statement), values)

    def row(self, table: str, /, **values: object) -> None:
        """One new row."""
        names = ", ".join(values)
        holes = ", ".join(f":{name}" for name in values)
        self.run(f"INSERT INTO {table} ({names}) VALUES ({holes})", **values)

    def refused(self, statement: str, /, **values: object) -> str | None:
        """What the database said against a statement; None if it took it. The transaction goes
        on either way, and what was taken stays."""
        point = self.connection.begin_nested()
        try:
            self.run(statement, **values)
        except DBAPIError as failure:
            point.rollback()
            return str(failure.orig)
        point.commit()
        return None

    def refused_row(self, table: str, /, **values: object) -> str | None:
        """What the database said against a new row; None if it took it."""
        names = ", ".join(values)
        holes = ", ".join(f":{name}" for name in values)
        return self.refused(f"INSERT INTO {table} ({names}) VALUES ({holes})", **values)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A stretch of which nothing stays."""
        point = self.connection.begin_nested()
        try:
            yield
        finally:
            point.rollback()

    def at(self, moment: datetime) -> object:
        """A moment as this database stores it."""
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if self.sqlite else moment

    def on(self, day: date) -> object:
        """A day as this database stores it."""
        return day.isoformat() if self.sqlite else day


def begin(hand: Hand) -> None:
    """A transaction; on SQLite with foreign keys on, as a careful hand would."""
    if hand.sqlite:
        hand.run("PRAGMA foreign_keys = ON")
        assert hand.connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    hand.row("partner", id="ptr", name="P", created_at=hand.at(AT))


def person(hand: Hand, name: str, role: str, **more: object) -> str:
    """A person with one role from the beginning; returns the id."""
    key = f"per_{name}"
    hand.row("person", id=key, name=key, email=key, created_at=hand.at(AT), **more)
    grant(hand, key, role)
    hand.row(
        "register_declaration",
        id=f"rgd_{key}",
        person_id=key,
        statement="nothing",
        at=hand.at(AT),
        valid_until=hand.at(LATER),
    )
    return key


def grant(
    hand: Hand, who: str, role: str, since: datetime = AT, until: datetime | None = None
) -> None:
    """A role from one moment until another."""
    hand.row(
        "role_grant",
        person_id=who,
        role=role,
        valid_from=hand.at(since),
        valid_until=hand.at(until) if until else None,
    )


def deciders(hand: Hand) -> None:
    """One person a gate."""
    for stage in GATES:
        hand.people[stage] = person(hand, stage, GATE_ROLES[stage])


def request(hand: Hand, *, accepted: bool = True, made_by: str | None = "ptr") -> None:
    """A request at its last gate, with one revision and the agreement it would be under, which
    the partner's submission accepted."""
    at = hand.at(AT)
    hand.row(
        "dataset",
        id="dst",
        name="photos",
        location="x",
        category="pd:Picture",
        special_category=False,
        subject_from="path:{subject}/*",
        index_version=1,
        objects=0,
        subjects=0,
        bytes=0,
        created_at=at,
    )
    hand.row(
        "request",
        id="req",
        partner_id="ptr",
        title="t",
        state="legal_approval",
        revision=1,
        digest=DIGEST,
        submitted_at=at,
    )
    hand.row(
        "revision",
        request_id="req",
        number=1,
        digest=DIGEST,
        dataset_id="dst",
        index_version=1,
        body="{}",
        submitted_at=at,
    )
    hand.row("agreement", request_id="req", digest=AGREED, terms="{}", drafted_at=at)
    agreed(hand, made_by=made_by)
    if accepted:
        hand.row("acceptance", **acceptance(hand))


def agreed(
    hand: Hand,
    agreement: str = AGREED,
    *,
    number: int = 1,
    digest: str = DIGEST,
    made_by: str | None = "ptr",
) -> None:
    """A version of the agreement that this revision was under from then on."""
    hand.row(
        "agreement_version",
        request_id="req",
        digest=digest,
        number=number,
        agreement_digest=agreement,
        order_id=f"ord_{number}_{digest[0]}",
        made_by=made_by,
        evidence="{}",
        at=hand.at(AT),
    )


def acceptance(hand: Hand, **changes: object) -> dict[str, object]:
    """The row of the partner's acceptance, by its own submission."""
    return {
        "id": "acc",
        "request_id": "req",
        "digest": DIGEST,
        "agreement_digest": AGREED,
        "partner_id": "ptr",
        "method": "submission",
        "evidence": "{}",
        "signature": "s",
        "at": hand.at(AT),
        **changes,
    }


def revise(hand: Hand) -> None:
    """A second revision, under another digest."""
    hand.row(
        "revision",
        request_id="req",
        number=2,
        digest=OTHER,
        dataset_id="dst",
        index_version=1,
        body="{}",
        submitted_at=hand.at(AT),
    )
    hand.run("UPDATE request SET digest = :other, revision = 2", other=OTHER)


def decide(
    hand: Hand, stage: str, outcome: str, *, digest: str = DIGEST, who: str | None = None
) -> str | None:
    """One gate with its decision, written while the request is at that gate: by the gate's own
    person unless another is named."""
    at, who = hand.at(AT + timedelta(seconds=1)), who or hand.people[stage]
    agreement = AGREED if stage == "legal_approval" else None
    declared = f"dcl_{stage}_{digest[0]}"
    hand.run("UPDATE request SET state = :stage", stage=stage)
    hand.row(
        "gate",
        request_id="req",
        digest=digest,
        stage=stage,
        findings="[]",
        findings_digest="f",
        opened_at=at,
        until=hand.at(LATER),
    )
    hand.row("declaration", id=declared, person_id=who, request_id="req", at=at)
    return hand.refused_row(
        "decision",
        id=f"dec_{stage}_{digest[0]}",
        request_id="req",
        digest=digest,
        stage=stage,
        actor_id=who,
        outcome=outcome,
        reason="r",
        conditions="[]",
        findings_digest="f",
        agreement_digest=agreement,
        declaration_id=declared,
        at=at,
        signature="s",
    )


def decide_again(hand: Hand, stage: str, who: str | None = None, **changes: object) -> str | None:
    """Another approval at a gate that is open once more, by the gate's own person unless another is
    named."""
    at, who = hand.at(AT + timedelta(seconds=2)), who or hand.people[stage]
    hand.run("UPDATE request SET state = :stage", stage=stage)
    hand.row("declaration", id=f"dcl_again_{who}", person_id=who, request_id="req", at=at)
    row = {
        "id": "dec_again",
        "request_id": "req",
        "digest": DIGEST,
        "stage": stage,
        "actor_id": who,
        "outcome": "approved",
        "reason": "r",
        "conditions": "[]",
        "findings_digest": "f",
        "agreement_digest": AGREED if stage == "legal_approval" else None,
        "declaration_id": f"dcl_again_{who}",
        "at": at,
        "signature": "s",
    }
    return hand.refused_row("decision", **{**row, **changes})


def void(hand: Hand, stage: str, reason: str = "taken_back", by: str | None = None) -> str | None:
    """The decision at a gate counts no longer."""
    who = hand.people[stage]
    return hand.refused_row(
        "decision_void",
        decision_id=f"dec_{stage}_{DIGEST[0]}",
        reason=reason,
        voided_by=by or who,
        interest_id=f"int_{who}" if reason == "interest" else None,
        at=hand.at(AT),
    )


def waive(hand: Hand, who: str, *by: str) -> list[str | None]:
    """A waiver of a person's interest; what the database said against each who agrees."""
    at = hand.at(AT)
    hand.row("waiver", id=f"wvr_{who}", request_id="req", person_id=who,
             interest_id=f"int_{who}", reason="r", asked_by=who, at=at)  # fmt: skip
    return [
        hand.refused_row(
            "waiver_approval", waiver_id=f"wvr_{who}", person_id=one, reason="r", at=at
        )
        for one in by
    ]


def delegate(
    hand: Hand,
    who: str,
    to: str,
    role: str = "purpose_reviewer",
    *,
    ended: bool = False,
    granted: bool = True,
    **changes: object,
) -> str | None:
    """Somebody's role in another's hands, and the grant that goes with it."""
    until = AT + timedelta(days=20)
    row = {"id": f"dlg_{who}_{to}", "delegator_id": who, "delegate_id": to, "role": role,
           "valid_from": hand.at(AT), "valid_until": hand.at(until), "reason": "r",
           "made_by": who, "at": hand.at(AT)}  # fmt: skip
    said = hand.refused_row("delegation", **{**row, **changes})
    if said is None and granted:
        grant(hand, to, role, AT, until)
    if said is None and ended:
        hand.row("delegation_end", delegation_id=f"dlg_{who}_{to}", ended_by=who, at=hand.at(AT))
    return said


def link(hand: Hand, account: str, same_as: str) -> None:
    """Another account of one person."""
    hand.row("person_link", person_id=account, same_as=same_as, linked_by="x", at=hand.at(AT))


def decided_earlier(hand: Hand, who: str) -> None:
    """An earlier revision, void by now, and the decision that this person took on it."""
    hand.row(
        "revision",
        request_id="req",
        number=0,
        digest=EARLIER,
        dataset_id="dst",
        index_version=1,
        body="{}",
        submitted_at=hand.at(AT),
    )
    hand.run("UPDATE request SET digest = :earlier", earlier=EARLIER)
    assert decide(hand, "purpose_review", "returned", digest=EARLIER, who=who) is None
    hand.run("UPDATE request SET digest = :current", current=DIGEST)


def recuse(hand: Hand, who: str) -> None:
    """An interest of a person in the partner, and the recusal that follows from it."""
    at = hand.at(AT)
    hand.row(
        "interest",
        id=f"int_{who}",
        person_id=who,
        organisation="P",
        kind="fund",
        since=hand.on(AT.date()),
        detail="",
        declared_by="x",
        declared_at=at,
    )
    hand.row(
        "recusal",
        request_id="req",
        person_id=who,
        interest_id=f"int_{who}",
        relation="the partner",
        at=at,
    )


def clearance(hand: Hand, **changes: object) -> dict[str, object]:
    """The row of a clearance, valid for a month."""
    return {
        "id": "clr",
        "request_id": "req",
        "digest": DIGEST,
        "outcome": "approved",
        **{f"{stage}_stage": stage for stage in GATES},
        **{f"{stage}_by": hand.people[stage] for stage in GATES},
        **{f"{stage}_decision": f"dec_{stage}_{DIGEST[0]}" for stage in GATES},
        "agreement_digest": AGREED,
        "seal": "s",
        "cleared_at": hand.at(CLEARED),
        "valid_until": hand.at(LATER),
        **changes,
    }
