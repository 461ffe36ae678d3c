"""What was recorded stays as it was recorded, also for a hand with a database console."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, inspect, text

from sharing.records.schema import METADATA
from tests.records import by_hand
from tests.records.by_hand import AT, DIGEST, Hand
from tests.records.conftest import Console
from tests.records.test_release_rule import COUNSEL, FIRST, recused, release, world

APPEND_ONLY = (
    "acceptance", "acknowledgement", "agreement", "agreement_version", "audit_entry", "canary",
    "clearance", "clearance_void",
    "consent_checkpoint", "consent_event", "consent_outlook", "consent_report",
    "consent_statement", "decision",
    "clearance", "clearance_void", "comment",
    "consent_checkpoint", "consent_event", "consent_report", "consent_statement", "decision",
    "decision_void", "declaration", "delegation", "delegation_end", "event", "gate_need",
    "interest", "interest_end", "interest_end_confirmation", "interest_look", "name_ruling",
    "notice", "notice_compatibility", "notice_text",
    "person_link", "policy_approval", "policy_version", "pressure_note",
    "pseudonym_key", "recusal",
    "register_declaration", "register_reminder", "release", "revision", "sign_off", "subject",
    "waiver", "waiver_approval",
)  # fmt: skip
LIVING = {
    "acceptance_link", "claim", "consent_source", "dataset", "dataset_object", "draft", "export",
    "export_pulse", "export_shard", "gate", "head", "idempotency_key", "indexed_table",
    "organisation", "organisation_alias",
    "organisation_edge", "organisation_twin", "partner", "partner_key", "partner_parent", "person",
    "recall_item", "request", "role_grant", "shard_failure", "sign_in_code", "signing_key", "token",
    "preview", "preview_look",
    "unreadable_object",
    "provider_answer",
}  # fmt: skip


def filled(connection: Connection) -> Hand:
    """A world in which every append-only table has a row."""
    hand = Hand(connection)
    world(hand)
    at = hand.at(AT)
    by_hand.recuse(hand, COUNSEL)
    hand.row("decision_void", decision_id=f"dec_legal_approval_{DIGEST[0]}", reason="interest",
             voided_by="x", interest_id=f"int_{COUNSEL}", at=at)  # fmt: skip
    with hand.undone():
        assert not release(hand)
    by_hand.waive(hand, COUNSEL, "per_conflict_signoff", "per_none")
    hand.row("clearance_void", clearance_id="clr", reason="interest", at=at)
    hand.run("UPDATE gate SET outcome = NULL WHERE stage = 'legal_approval'")
    assert by_hand.decide_again(hand, "legal_approval") is None
    hand.row("clearance", **by_hand.clearance(hand, id="clr2", legal_approval_decision="dec_again"))
    hand.run("UPDATE gate SET outcome = 'approved'")
    hand.run("UPDATE request SET state = 'exporting'")
    assert release(hand)
    recused("per_second")(hand)
    hand.row("comment", id="com", request_id="req", revision=1, audience="internal",
             author_id=FIRST, role="purpose_reviewer", text="t", at=at)  # fmt: skip
    hand.row("gate_need", request_id="req", digest=DIGEST, stage="legal_approval",
             role="auditor", approvals=1)  # fmt: skip
    hand.row("policy_version", number=2, text="t", sha256="x", reason="r", proposed_by="per_none",
             proposed_at=at)  # fmt: skip
    by_hand.grant(hand, "per_other", "admin")
    hand.row("policy_approval", number=2, approved_by="per_other", approved_at=at)
    hand.row("interest_end", interest_id=f"int_{COUNSEL}", replaced_by=f"int_{COUNSEL}",
             counts_until=hand.on(AT.date()), reason="r", said_by="per_none",
             at=at)  # fmt: skip
    by_hand.grant(hand, "per_other", "conflict_officer")
    hand.row("interest_end_confirmation", interest_id=f"int_{COUNSEL}",
             counts_until=hand.on(AT.date()), reason="r", confirmed_by="per_other",
             at=at)  # fmt: skip
    hand.row("person_link", person_id="per_second", same_as=FIRST, linked_by="x", at=at)
    assert by_hand.delegate(hand, "per_purpose_review", "per_none", ended=True) is None
    hand.row("interest_look", request_id="req", person_id="per_second",
             interest_id="int_per_second", seen_by=FIRST, note="n", at=at)  # fmt: skip
    hand.row("sign_off", decision_id="dec_again", recused="[]", replaced_by="{}")
    hand.row("register_reminder", person_id=FIRST, day=hand.on(AT.date()))
    hand.row("pressure_note", id="prn", request_id="req", author_id=FIRST, text="t", at=at)
    hand.row("notice", name="n", version="1", text="t", text_sha256="x", purposes="[]",
             categories="[]", created_at=at)  # fmt: skip
    hand.row("consent_event", position=1, subject="s", purpose="p", category="c", recipient="*",
             action="given", explicit=True, notice="n", notice_version="1", at=at, source="t",
             recorded_at=at)  # fmt: skip
    hand.row("subject", number=0, name="s")
    hand.row("consent_statement", number=0, terms="[]")
    hand.row("consent_checkpoint", last=1, first=1, previous="0", events_sha256="x",
             columns=b"", hash="h", at=at)  # fmt: skip
    hand.row("consent_report", id="r", request_id="req", digest="d", moment="gate", position=1,
             objects=0, subjects=0, covered_objects=0, covered_subjects=0, excluded="{}",
             breakdown="{}", sample="[]", seed="s", terms_sha256="t", decisions_sha256="d",
             taken_at=at)  # fmt: skip
    hand.row("notice_text", name="n", version="1", language="en", text="t", text_sha256="x")
    hand.row("consent_outlook", id="otl", partner_id="ptr", dataset_id="dst", question="q", at=at)
    hand.row("notice_compatibility", id="c", name="n", older="1", newer="1", compatible=True,
             reason="r", decided_by=FIRST, decided_at=at)  # fmt: skip
    hand.row("organisation", id=1, name="n", name_key="n", person=False, source="t")
    hand.row("name_ruling", interest_id="int_per_second", organisation_id=1, number=1,
             ruling="dismissed", reason="r", ruled_by=FIRST, ruled_at=at)  # fmt: skip
    released = hand.connection.execute(text("SELECT export_id, manifest_sha256 FROM release")).one()
    hand.row("acknowledgement", id="ack", export_id=released[0], partner_id="ptr", said="x",
             outcome="acknowledged", manifest_sha256=released[1], at=at)  # fmt: skip
    hand.row("canary", export_id=released[0], name="n", shard=0, bytes=1, sha256="x",
             subject_pseudonym="p", at=at)  # fmt: skip
    hand.row("pseudonym_key", partner_id="ptr", key_id="k", at=at)
    hand.row("event", position=1, at=at, type="t", subject="s", data="{}")
    hand.row("audit_entry", position=1, at=at, actor="a", action="t", detail="{}",
             previous="0", hash="h")  # fmt: skip
    return hand


def columns(connection: Connection, table: str) -> list[str]:
    """A table's columns."""
    return [column["name"] for column in inspect(connection).get_columns(table)]


def contents(connection: Connection, table: str) -> Sequence[object]:
    """Every row of a table."""
    return connection.execute(text(f"SELECT * FROM {table}")).fetchall()


def changed(connection: Connection, table: str) -> list[str]:
    """Columns of a table that could be written again, and rows that could be deleted."""
    hand = filled(connection)
    before = contents(connection, table)
    assert before
    attempts = {f"UPDATE {table} SET {c} = {c}" for c in columns(connection, table)}
    attempts |= {f"DELETE FROM {table}"} | ({f"TRUNCATE {table} CASCADE"} - _unknown(hand))
    said = {attempt: hand.refused(attempt) for attempt in sorted(attempts)}
    assert contents(connection, table) == before
    return [attempt for attempt, words in said.items() if "append-only" not in (words or "")]


def _unknown(hand: Hand) -> set[str]:
    """SQLite has no TRUNCATE: its DELETE is what empties a table."""
    return {f"TRUNCATE {table} CASCADE" for table in APPEND_ONLY} if hand.sqlite else set()


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_no_update_no_delete(console: Console, table: str) -> None:
    """No column of an append-only table can be written again, and no row removed, by SQL."""
    assert await console(changed, table) == []


def replaced(connection: Connection, table: str) -> list[str]:
    """Ways to overwrite a row by inserting it once more that the database let through."""
    hand = filled(connection)
    before = contents(connection, table)
    names = ", ".join(columns(connection, table))
    again = f"INTO {table} ({names}) SELECT {names} FROM {table}"
    first = columns(connection, table)[0]
    key = ", ".join(inspect(connection).get_pk_constraint(table)["constrained_columns"])
    upsert = f"INSERT {again} WHERE true ON CONFLICT ({key}) DO UPDATE SET {first} = '9'"
    attempts = [upsert]
    if hand.sqlite:
        attempts += [
            f"INSERT OR REPLACE {again}",
            f"INSERT OR REPLACE INTO {table} (rowid, {names}) SELECT rowid, {names} FROM {table}",
        ]
    taken = [attempt for attempt in attempts if hand.refused(attempt) is None]
    assert contents(connection, table) == before
    return taken


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_no_replace(console: Console, table: str) -> None:
    """A row of an append-only table cannot be overwritten by inserting it again (on SQLite,
    INSERT OR REPLACE deletes without asking a delete trigger)."""
    assert await console(replaced, table) == []


def displaced(connection: Connection) -> str | None:
    """What the database says to another row in the place of a recorded one."""
    hand = filled(connection)
    return hand.refused(
        "INSERT OR REPLACE INTO declaration (rowid, id, person_id, request_id, at) "
        "SELECT rowid, 'new', :who, 'req', at FROM declaration LIMIT 1",
        who=FIRST,
    )


async def test_no_row_takes_the_place_of_another(console: Console, untouched_url: str) -> None:
    """A row with keys of its own cannot push out another by taking its hidden row number."""
    if not untouched_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has no hidden row number that can be given.")
    assert "append-only" in (await console(displaced) or "")


def renamed(connection: Connection) -> str | None:
    """What the database says to another event under the name that its source gave to a first."""
    hand, names = filled(connection), columns(connection, "consent_event")
    into = f"INTO consent_event ({', '.join(names)})"

    def as_event(position: int) -> str:
        given = {"position": str(position), "source_id": "'1'"}
        return "SELECT " + ", ".join(given.get(name, name) for name in names)

    hand.run(f"INSERT {into} {as_event(2)} FROM consent_event WHERE position = 1")
    verb = "INSERT OR REPLACE" if hand.sqlite else "INSERT"
    return hand.refused(f"{verb} {into} {as_event(9)} FROM consent_event WHERE position = 1")


async def test_no_event_takes_the_place_of_another(console: Console, untouched_url: str) -> None:
    """An event cannot push out another by taking the name that their source gave it."""
    said = await console(renamed) or ""
    assert ("append-only" if untouched_url.startswith("sqlite") else "duplicate key") in said


def second_act(connection: Connection) -> str | None:
    """What the database says to a second decision by one person, put over the first."""
    hand = filled(connection)
    hand.run("UPDATE request SET state = 'purpose_review'")
    hand.run("UPDATE gate SET outcome = NULL")
    verb = "INSERT OR REPLACE" if hand.sqlite else "INSERT"
    return hand.refused(
        f"{verb} INTO decision (id, request_id, digest, stage, actor_id, outcome, reason, "
        "conditions, findings_digest, declaration_id, at, signature) SELECT 'again', request_id, "
        "digest, stage, actor_id, 'refused', reason, conditions, findings_digest, declaration_id, "
        "at, signature FROM decision WHERE stage = 'purpose_review' AND digest = :digest",
        digest=DIGEST,
    )


async def test_a_decision_is_not_replaced_by_another(console: Console) -> None:
    """A second act by the same person under another id does not take the place of the first."""
    assert await console(second_act) is not None


def test_every_table_is_append_only_or_known_to_live() -> None:
    """A new table has to be named here as one or the other."""
    assert set(METADATA.tables) == {*APPEND_ONLY, *LIVING}
