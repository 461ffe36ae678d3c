"""The release rule that the database keeps by itself, tried with hand-written SQL.

Behind a clearance that is right, everything that may have changed until the release is changed
by hand, in combination; exactly what is right may be released.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sharing.stages import GATE_ROLES, GATES, Stage
from tests.records import by_hand
from tests.records.by_hand import CLEARED, DIGEST, LATER, OTHER, Hand
from tests.records.conftest import Console

TRIGGERED = CLEARED + timedelta(seconds=5)
RELEASED = CLEARED + timedelta(minutes=1)
SECOND = timedelta(seconds=1)
FIRST, COUNSEL = "per_first", "per_legal_approval"
Change = Callable[[Hand], None]
Changes = Mapping[str, Change]


def world(hand: Hand) -> None:
    """A cleared request with a running export by an engineer; a second engineer stands by."""
    by_hand.begin(hand)
    by_hand.deciders(hand)
    by_hand.person(hand, "first", "engineer")
    by_hand.person(hand, "second", "engineer")
    by_hand.person(hand, "none", "auditor")
    by_hand.person(hand, "staff", "engineer", partner_id="ptr")
    by_hand.person(hand, "other", "auditor")
    by_hand.person(hand, "twin", "engineer")
    by_hand.link(hand, "per_twin", COUNSEL)
    by_hand.grant(hand, COUNSEL, "engineer")
    by_hand.request(hand)
    former = by_hand.person(hand, "former", "purpose_reviewer")
    by_hand.grant(hand, former, "engineer")
    by_hand.decided_earlier(hand, former)
    for stage in GATES:
        assert by_hand.decide(hand, stage, "approved") is None
    hand.row("clearance", **by_hand.clearance(hand))
    hand.run("UPDATE gate SET outcome = 'approved'")
    hand.run("UPDATE request SET state = 'exporting'")
    hand.row("export", id="exp", request_id="req", digest=DIGEST, state="running",
             needs_confirmation=False, triggered_by=FIRST, triggered_at=hand.at(TRIGGERED),
             fence=2, total=1, excluded="{}")  # fmt: skip


def release(hand: Hand, **changes: object) -> bool:
    """True if the database lets the bytes go."""
    row = {"export_id": "exp", "request_id": "req", "digest": DIGEST, "fence": 2,
           "consent_position": 0, "objects": 1, "bytes": 1, "manifest_sha256": "m",
           "envelope": "{}", "released_at": hand.at(RELEASED), **changes}  # fmt: skip
    said = hand.refused_row("release", **row)
    assert said is None or "rule for release" in said or "FOREIGN KEY" in said.upper(), said
    return said is None


def leave(_: Hand) -> None:
    """Everything stays as it is."""


def sql(statement: str, **values: object) -> Change:
    """One statement; moments in it become what the database stores."""

    def change(hand: Hand) -> None:
        stored = {n: hand.at(v) if isinstance(v, datetime) else v for n, v in values.items()}
        hand.run(statement, **stored)

    return change


def ended(who: str, role: str, until: datetime) -> Change:
    """A role taken away."""
    return sql("UPDATE role_grant SET valid_until = :u WHERE person_id = :p AND role = :r",
               u=until, p=who, r=role)  # fmt: skip


def begun(who: str, since: datetime) -> Change:
    """An engineer's role that was held only from a moment on."""
    return sql("UPDATE role_grant SET valid_from = :s WHERE person_id = :p AND role = 'engineer'",
               s=since, p=who)  # fmt: skip


def employed(who: str) -> Change:
    """A person who has gone to work for the partner."""
    return sql("UPDATE person SET partner_id = 'ptr' WHERE id = :p", p=who)


def sponsoring(who: str) -> Change:
    """A person who turns out to be the request's sponsor."""
    return sql("UPDATE request SET sponsor = :p", p=who)


def sponsoring_by_address(who: str) -> Change:
    """The same, named by an e-mail address."""
    # The address of people by hand is their id; in capitals it is the address only.
    return sql("UPDATE request SET sponsor = upper(:p)", p=who)


def recused(who: str) -> Change:
    """A person whose interest became known."""
    return lambda hand: by_hand.recuse(hand, who)


def waived(who: str, *by: str) -> Change:
    """The same, with these people's permission."""

    def change(hand: Hand) -> None:
        by_hand.recuse(hand, who)
        by_hand.waive(hand, who, *by)

    return change


def accepted(said: str | None) -> None:
    """What the database must not refuse."""
    assert said is None, said


def need(hand: Hand, stage: str, approvals: int, role: str | None = None) -> None:
    """What a policy asks of a gate."""
    hand.row("gate_need", request_id="req", digest=DIGEST, stage=stage,
             role=role or GATE_ROLES[Stage(stage)], approvals=approvals)  # fmt: skip


def triggered_by(who: str) -> Change:
    """An export that another person triggered."""
    return sql("UPDATE export SET triggered_by = :p", p=who)


def confirmed(who: str | None, at: datetime | None = TRIGGERED) -> Change:
    """An export that needs two people, with the second one or without."""
    return sql("UPDATE export SET needs_confirmation = true, confirmed_by = :p, confirmed_at = :at",
               p=who, at=at)  # fmt: skip


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(hand: Hand) -> None:
        for one in changes:
            one(hand)

    return change


TRIGGERS: Changes = {
    "engineer": leave,
    "role_ends_at_release": ended(FIRST, "engineer", RELEASED),
    "role_ends_later": ended(FIRST, "engineer", RELEASED + SECOND),
    "role_lost": ended(FIRST, "engineer", TRIGGERED + SECOND),
    "role_only_since_trigger": begun(FIRST, TRIGGERED + SECOND),
    "never_engineer": triggered_by("per_none"),
    "recused": recused(FIRST),
    "decider": triggered_by(COUNSEL),
    "other_account_of_a_decider": triggered_by("per_twin"),
    "decider_of_earlier_revision": triggered_by("per_former"),
    "partner_staff": triggered_by("per_staff"),
    "sponsor": sponsoring(FIRST),
    "sponsor_by_address": sponsoring_by_address(FIRST),
}
CONFIRMATIONS: Changes = {
    "not_needed": leave,
    "confirmed": confirmed("per_second"),
    "missing": confirmed(None, None),
    "same_person": confirmed(FIRST),
    "without_date": confirmed("per_second", None),
    "role_lost": both(confirmed("per_second"), ended("per_second", "engineer", RELEASED)),
    "role_too_late": both(confirmed("per_second"), begun("per_second", RELEASED)),
    "recused": both(confirmed("per_second"), recused("per_second")),
    "decider": confirmed(COUNSEL),
    "other_account_of_the_first": both(
        confirmed("per_second"), lambda h: by_hand.link(h, "per_second", FIRST)
    ),
    "decider_of_earlier_revision": confirmed("per_former"),
    "partner_staff": confirmed("per_staff"),
    "never_engineer": confirmed("per_none"),
}
DECIDERS: Changes = {
    "as_they_were": leave,
    "recused": recused("per_conflict_signoff"),
    "role_lost": ended("per_consent_verification", "consent_steward", RELEASED),
    "role_regained": both(
        ended("per_purpose_review", "purpose_reviewer", CLEARED),
        lambda h: by_hand.grant(h, "per_purpose_review", "purpose_reviewer", CLEARED + SECOND),
    ),
    "sponsor": sponsoring("per_purpose_review"),
    "sponsor_by_address": sponsoring_by_address("per_purpose_review"),
    "partner_staff": employed(COUNSEL),
    "waived_by_two": waived("per_conflict_signoff", COUNSEL, "per_none"),
    "waived_by_one": waived("per_conflict_signoff", COUNSEL),
    "waived_by_oneself": waived("per_conflict_signoff", "per_conflict_signoff", "per_none"),
    "other_account_recused": both(
        lambda h: by_hand.link(h, "per_other", "per_conflict_signoff"), recused("per_other")
    ),
    "one_person_twice": lambda h: by_hand.link(h, "per_purpose_review", "per_conflict_signoff"),
    "taken_back": lambda h: accepted(by_hand.void(h, "purpose_review")),
    "clearance_void": lambda h: h.row(
        "clearance_void", clearance_id="clr", reason="interest", at=h.at(CLEARED)
    ),
    "more_needed": lambda h: need(h, "purpose_review", 2),
    "another_role_needed": lambda h: need(h, "legal_approval", 1, "auditor"),
    "what_is_needed_is_there": lambda h: need(h, "legal_approval", 1),
}
# What became known after everybody had acted; each of them alone must keep the bytes here.
KNOWN_LATER: Changes = {
    "waived_by_one_with_two_accounts": both(
        lambda h: by_hand.link(h, "per_none", COUNSEL),
        waived("per_conflict_signoff", COUNSEL, "per_none"),
    ),
    "waived_by_accounts_joined_later": both(
        waived("per_conflict_signoff", COUNSEL, "per_none"),
        lambda h: by_hand.link(h, "per_none", COUNSEL),
    ),
    "waived_by_somebody_recused_later": both(
        waived("per_conflict_signoff", COUNSEL, "per_none"), recused("per_none")
    ),
    "waived_by_somebody_employed_later": both(
        waived("per_conflict_signoff", COUNSEL, "per_none"), employed("per_none")
    ),
    "waived_by_what_turned_out_the_sponsor": both(
        waived("per_conflict_signoff", COUNSEL, "per_none"), sponsoring("per_none")
    ),
    "two_accounts_of_one_person": lambda h: by_hand.link(h, COUNSEL, "per_purpose_review"),
    "other_account_at_the_partner": both(
        lambda h: by_hand.link(h, "per_other", "per_conflict_signoff"), employed("per_other")
    ),
}
GOOD_TRIGGERS, GOOD_CONFIRMATIONS = ("engineer", "role_ends_later"), ("not_needed", "confirmed")

REQUESTS: Changes = {
    state: sql("UPDATE request SET state = :s", s=state)
    for state in ("exporting", "cleared", "withdrawn", "delivered")
}
EXPORTS: Changes = {
    state: sql("UPDATE export SET state = :s", s=state)
    for state in ("running", "awaiting_confirmation", "cancelled", "delivered")
}
SCOPES: Changes = {
    "same": leave,
    "changed": by_hand.revise,
    "gate_refused": sql("UPDATE gate SET outcome = 'refused' WHERE stage = 'conflict_signoff'"),
    "gate_expired": sql("UPDATE gate SET outcome = 'expired' WHERE stage = 'purpose_review'"),
}
ROWS: Mapping[str, Mapping[str, object]] = {
    "right": {},
    "older_fence": {"fence": 1},
    "newer_fence": {"fence": 3},
    "last_moment": {"released_at": LATER - SECOND},
    "run_out": {"released_at": LATER},
    "too_early": {"released_at": CLEARED - SECOND},
    "other_digest": {"digest": OTHER},
    "other_export": {"export_id": "none"},
}


def tried(hand: Hand, changes: Iterable[Change], row: Mapping[str, object]) -> bool:
    """Makes the changes, tries the release, and takes all of it back."""
    with hand.undone():
        for change in changes:
            change(hand)
        stored = {n: hand.at(v) if isinstance(v, datetime) else v for n, v in row.items()}
        return release(hand, **stored)


def by_people(connection: Connection) -> list[tuple[str, str, str]]:
    """Every combination of who triggered, who confirmed, and what became of the deciders."""
    hand = Hand(connection)
    world(hand)
    return [
        (trigger, confirmation, decider)
        for trigger, confirmation, decider in itertools.product(TRIGGERS, CONFIRMATIONS, DECIDERS)
        if tried(hand, (TRIGGERS[trigger], CONFIRMATIONS[confirmation], DECIDERS[decider]), {})
    ]


def by_what_became_known(connection: Connection) -> dict[str, bool]:
    """Whether the bytes go in spite of each thing that became known later, and without any."""
    hand = Hand(connection)
    world(hand)
    known = {"nothing": leave, **KNOWN_LATER}
    return {name: tried(hand, (change,), {}) for name, change in known.items()}


def by_states(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Every combination of where the request, its scope and the export stand, and the row."""
    hand = Hand(connection)
    world(hand)
    return [
        (request, export, scope, row)
        for request, export, scope, row in itertools.product(REQUESTS, EXPORTS, SCOPES, ROWS)
        if tried(hand, (REQUESTS[request], EXPORTS[export], SCOPES[scope]), ROWS[row])
    ]


async def test_truth_table_of_people(console: Console) -> None:
    """Of 2,873 combinations of engineers and deciders, only those pass in which every one of them
    held the role throughout, is a person of their own, and has no interest that was not waived."""
    taken = await console(by_people)
    deciders = ["as_they_were", "waived_by_two", "what_is_needed_is_there"]
    assert taken == list(itertools.product(GOOD_TRIGGERS, GOOD_CONFIRMATIONS, deciders))


async def test_what_becomes_known_later(console: Console) -> None:
    """Two accounts that turn out to be one person's, and a waiver whose people turn out to be close
    to the partner or one person, keep the bytes here; without such news they go."""
    taken = await console(by_what_became_known)
    assert taken == {"nothing": True, **dict.fromkeys(KNOWN_LATER, False)}


async def test_nobody_close_to_the_partner_waives(console: Console) -> None:
    """Whose own interest was waived, or who works for the partner by another account, agrees to
    nobody else's waiver."""

    def tried(connection: Connection) -> list[str | None]:
        hand = Hand(connection)
        world(hand)
        waived(COUNSEL, "per_none", "per_conflict_signoff")(hand)
        by_hand.person(hand, "elsewhere", "conflict_officer")
        by_hand.link(hand, "per_staff", "per_elsewhere")
        by_hand.recuse(hand, FIRST)
        return by_hand.waive(hand, FIRST, COUNSEL, "per_elsewhere", "per_none")

    close, employed, free = await console(tried)
    assert free is None
    assert all("rule for waiver_approval" in (said or "") for said in (close, employed))


async def test_only_an_approval_of_ones_own_is_taken_back(console: Console) -> None:
    """The database lets nobody void another's decision, a refusal, for an interest that is not
    there, or after the release."""

    def tried(connection: Connection) -> list[str | None]:
        hand = Hand(connection)
        world(hand)
        said = [
            by_hand.void(hand, "purpose_review", by=COUNSEL),
            by_hand.void(hand, "purpose_review", reason="interest"),
        ]
        with hand.undone():
            by_hand.revise(hand)
            by_hand.decide(hand, "purpose_review", "refused", digest=OTHER)
            said.append(
                hand.refused_row(
                    "decision_void",
                    decision_id=f"dec_purpose_review_{OTHER[0]}",
                    reason="taken_back",
                    voided_by=hand.people["purpose_review"],
                    at=hand.at(CLEARED),
                )
            )
        assert release(hand)
        return [*said, by_hand.void(hand, "purpose_review")]

    for words in await console(tried):
        assert words is not None
        assert "rule for decision_void" in words or "FOREIGN KEY" in words.upper()


async def test_the_later_decision_of_one_person_is_voided(console: Console) -> None:
    """Of two decisions by linked accounts the database lets the later one be voided, and only
    once they are linked; a sponsor's, under whichever account, as well."""

    def tried(connection: Connection) -> list[bool]:
        hand = Hand(connection)
        world(hand)
        twice = [
            by_hand.void(hand, stage, reason="same_person", by="x")
            for stage in ("purpose_review", "legal_approval")
        ]
        with hand.undone():
            sponsoring(COUNSEL)(hand)
            twice.append(by_hand.void(hand, "legal_approval", reason="same_person", by="x"))
        by_hand.link(hand, "per_purpose_review", "per_conflict_signoff")
        twice.append(by_hand.void(hand, "conflict_signoff", reason="same_person", by="x"))
        twice.append(by_hand.void(hand, "purpose_review", reason="same_person", by="x"))
        return [said is None for said in twice]

    assert await console(tried) == [False, False, True, True, False]


async def test_truth_table_of_states(console: Console) -> None:
    """Of 512 combinations of states, scopes, fences and moments, only the running export of the
    current digest, by its newest attempt, before the clearance runs out, is released."""
    taken = await console(by_states)
    assert taken == [("exporting", "running", "same", row) for row in ("right", "last_moment")]
