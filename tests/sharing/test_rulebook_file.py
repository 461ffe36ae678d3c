"""A file of policy is refused by line and key, with the cure, and never weakens anything."""

from datetime import timedelta
from typing import Any, cast

import pytest

from sharing import rulebook_file
from sharing.conflict import InterestKind
from sharing.patience import parsed
from sharing.policy_lines import Lines, Path
from sharing.policy_reader import PolicyError, Reader
from sharing.quorum import Need
from sharing.rulebook import Risk
from sharing.rulebook_file import read
from sharing.rulebook_reach import unreachable
from sharing.stages import Role, Stage

RULE = '[[rule]]\nname = "a"\n'
WHOLE = """title = "Ours"

[[rule]]
name = "Much of it"
purpose = ["ai:ModelTraining",   # and what lies below
           "dpv:Marketing"]
risk = "high"
objects_from = 1_000
special_category = false

[rule.legal_approval]
approvals = { legal_counsel = "2 of 3", auditor = 1 }
blind = true
cooling_off_hours = 24
days = 7.5

[rule.export]
engineers = 2
cooling_off_hours = 48

[[rule]]
name = "Everything"
conflict_signoff.approvals.conflict_officer = 2

[interests]
waivable = ["gift"]
register_days = 180
"""


def wrong(text: str) -> list[str]:
    """What is said against a file, problem by problem."""
    with pytest.raises(PolicyError) as refused:
        read(text)
    return str(refused.value).splitlines()


def test_a_whole_file_is_read() -> None:
    """Every key of a file becomes the value that it says."""
    policy = read(WHOLE)
    much, every = policy.rules
    law = much.gates[Stage.LEGAL_APPROVAL]
    assert law.needs == (Need(Role.LEGAL_COUNSEL, 2), Need(Role.AUDITOR, 1))
    assert law.among == (Need(Role.LEGAL_COUNSEL, 3),)
    assert (law.blind, law.cooling_off, law.days) == (True, timedelta(hours=24), 7.5)
    assert (much.export.engineers, much.export.cooling_off) == (2, timedelta(hours=48))
    assert much.when.purposes == {"ai:ModelTraining", "dpv:Marketing"}
    assert (much.when.risks, much.when.objects_from) == (frozenset({Risk.HIGH}), 1000)
    assert every.gates[Stage.CONFLICT_SIGNOFF].needs == (Need(Role.CONFLICT_OFFICER, 2),)
    assert policy.interests.waivable == {InterestKind.GIFT}
    assert policy.interests.register_days == 180


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE + "legal_approval = false", "line 3, rule[1].legal_approval: must be a table"),
        (RULE + "export = 2\n", "line 3, rule[1].export: must be a table"),
        ("x = 1\ngates = []\n" + RULE, "line 2, gates: The four gates are always there"),
        (RULE + "skip = true\n", "line 3, rule[1].skip: The four gates are always there"),
        (
            RULE + "[rule.legal_approval]\napprovals = { legal_counsel = 0 }",
            "line 4, rule[1].legal_approval.approvals.legal_counsel: a quorum of 0 is no gate",
        ),
        (
            RULE + "[rule.legal_approval.approvals]\nauditor = 1\nlegal_counsel = -1",
            "line 5, rule[1].legal_approval.approvals.legal_counsel: a quorum of -1 is no gate",
        ),
        (
            RULE + "[rule.legal_approval]\nblind = true\n\napprovals = { boss = 1 }",
            "line 6, rule[1].legal_approval.approvals.boss: 'boss' is no role",
        ),
        (
            RULE + "[rule.legal_approval]\napprovals = { partner = 1 }",
            "line 4, rule[1].legal_approval.approvals.partner: 'partner' is nobody who decides",
        ),
        (
            RULE + '[rule.legal_approval]\napprovals = { auditor = "3 of 2" }',
            "line 4, rule[1].legal_approval.approvals.auditor: 3 of 2 can never approve",
        ),
        (
            RULE + "[rule.legal_approval]\napprovals = { auditor = 51 }",
            "line 4, rule[1].legal_approval.approvals.auditor: must be at most 50 people",
        ),
        (
            RULE + "[rule.legal_approval]\napprovals = { auditor = true }",
            "line 4, rule[1].legal_approval.approvals.auditor: must be a number of people",
        ),
        (RULE + 'purpose = "ai:Training"\n', "line 3, rule[1].purpose: 'ai:Training' is not known"),
        (RULE + 'category = ["pd:Nothing"]\n', "line 3, rule[1].category: 'pd:Nothing' is not"),
        (RULE + 'risk = "hihg"\n', "line 3, rule[1].risk: 'hihg' is not known. Did you mean 'hi"),
        (RULE + "objects_from = 0\n", "line 3, rule[1].objects_from: must be a whole number"),
        (RULE + "[rule.export]\nengineers = 1", "line 4, rule[1].export.engineers: must be 2"),
        (RULE + "[rule.export]\nengineers = 0", "line 4, rule[1].export.engineers: must be 2"),
        (RULE + "[rule.export]\nblind = true", "line 4, rule[1].export.blind: is not known"),
        (
            RULE + "[rule.purpose_review]\ncooling_off_hours = -1",
            "line 4, rule[1].purpose_review.cooling_off_hours: must be a number from 0.01",
        ),
        (RULE + "[rule.purpose_review]\ndays = 0", "line 4, rule[1].purpose_review.days: must be"),
        (RULE + "[rule.purpose_review]\nblnd = true", "line 4, rule[1].purpose_review.blnd: is"),
        (RULE + "[rule.purpose_review]\n", "line 3, rule[1].purpose_review: asks for nothing"),
        (RULE, "line 1, rule[1]: asks for nothing"),
        ("\n[[rule]]\nexport.engineers = 2", "line 2, rule[1].name: is missing"),
        ("[rule]\nname = 1", "line 1, rule: must be a list of tables"),
        (
            RULE + "export.engineers = 2\n\n" + '[[rule]]\nname = "b"\nexport.engineers = 2\n',
            "line 5, rule[2]: is about the same requests as 'a' in line 1",
        ),
        (
            RULE + 'export.engineers = 2\n[[rule]]\nrisk = "low"\nname = "a"\nexport.engineers = 2',
            "line 6, rule[2].name: 'a' names another rule too",
        ),
        (
            RULE + 'purpose = [\n"ai:ModelTraining",\n"ai:AIDevelopment"]\nexport.engineers = 2',
            "line 3, rule[1].purpose: ai:ModelTraining lies below ai:AIDevelopment",
        ),
        ('[interests]\nwaivable = ["fnd"]', "line 2, interests.waivable: 'fnd' is not known."),
        ("[interests]\nregister_days = 400", "line 2, interests.register_days: must be a whole"),
        ("\n\na = = 1", "line 3, column 5: is not TOML"),
        ("a = 1\na = 2", "line 2, the end: is not TOML"),
        ("[timings]\nx = 1", "line 1, timings: is not known. Known here: title"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line_and_key(text: str, said: str) -> None:
    """A file that removes a gate, sets a quorum of nobody, names what is not there, or is ambiguous
    is refused with its line, its key and the cure."""
    assert any(line.startswith(said) for line in wrong(text)), wrong(text)


def test_everything_wrong_is_told_at_once() -> None:
    """One look finds all that is wrong, in the order of the lines."""
    text = RULE + 'risk = "x"\n[rule.legal_approval]\napprovals = { boss = 0 }\nblind = 1\n'
    assert [line.split(",")[0] for line in wrong(text)] == ["line 3", "line 5", "line 5", "line 6"]


def test_lines_are_found_whatever_the_text_looks_like() -> None:
    """Long strings, lists over several lines, comments and dotted keys move no line."""
    text = (
        'a = """\n[b]\nc = 1\n"""\nd = [ # ]\n "]", {x = 1},\n]\n[[b]] # c\n"e".f = "#"\n[b.g]\n'
        "h = 1\n[[b]]\n[[b.i]]\nj = { k = 1, l.m = 2 }\n"
    )
    lines = Lines(text)
    found = {
        path: lines.of(path)
        for path in [
            ("a",), ("d",), ("b", 0), ("b", 0, "e", "f"), ("b", 0, "g", "h"), ("b", 1),
            ("b", 1, "i", 0, "j", "l", "m"), ("b", 1, "i", 0, "nowhere"),
        ]
    }  # fmt: skip
    assert list(found.values()) == [1, 5, 8, 9, 11, 12, 14, 13]


def test_a_term_that_is_gone_stops_no_older_version() -> None:
    """A version that names a term which the vocabulary no longer has is still read as it was."""
    text = RULE + 'purpose = "own:Gone"\nexport.engineers = 2\n'
    assert "own:Gone" in wrong(text)[0]
    assert read(text, lasting=True).rules[0].when.purposes == {"own:Gone"}


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5_000])
def test_a_text_that_goes_too_far(text: str) -> None:
    """A text that is nested without end, or a number without end, is refused as any other."""
    assert "is not TOML" in wrong(text)[0]


def test_other_parts_read_their_own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that belongs to another part is read by that part, with its own refusals by line."""

    def section(reader: Reader, path: Path, found: object) -> object:
        table = reader.table(path, found, ("days",))
        return reader.number(path, table, "days", 1, 5)

    monkeypatch.setattr(rulebook_file, "SECTIONS", {"time": section})
    assert read("[time]\ndays = 3\n").sections == {"time": 3}
    assert wrong("[time]\ndays = 6\n") == ["line 2, time.days: must be a number from 1 to 5."]


def test_the_table_of_time_is_read_with_its_lines() -> None:
    """`[time]` is checked with the rest of the file, and what is wrong in it is told by line."""
    text = "[time]\ndays = 3\n[time.legal_approval]\nescalate_to = ['admin']\n"
    assert parsed(cast(Any, read(text).sections["time"])).gates[Stage.LEGAL_APPROVAL].days == 3
    assert wrong("[time]\nremind_after = 2\n")[0].startswith("line 2, time.remind_after: ")
    assert wrong("[time.legal_approval]\ndays = 0\n")[0].startswith(
        "line 2, time.legal_approval.days: "
    )


ONE_EACH = {role: frozenset({role}) for role in Role}
MONTH = timedelta(days=30)


def lacking(text: str, **more: frozenset[str]) -> list[str]:
    """What people on record cannot do of what a file asks for; one each, unless more are named."""
    there = ONE_EACH | {Role(role): people for role, people in more.items()}
    return [str(one) for one in unreachable(text, read(text), there, MONTH)]


def test_more_people_than_hold_the_role_are_not_to_be_had() -> None:
    """A quorum above the number of those who hold the role now is refused, by line and key."""
    text = RULE + "[rule.legal_approval]\napprovals = { legal_counsel = 2 }"
    where = "line 4, rule[1].legal_approval.approvals.legal_counsel"
    assert lacking(text)[0].startswith(f"{where}: asks for 2 people as legal_counsel, and 1 hold")
    assert lacking(text, legal_counsel=frozenset("ab")) == []


def test_so_many_have_to_be_there() -> None:
    """`2 of 3` needs three who hold the role, so that nobody's absence stops the gate."""
    text = RULE + '[rule.legal_approval]\napprovals = { legal_counsel = "2 of 3" }'
    assert "asks for 3 people" in lacking(text, legal_counsel=frozenset("ab"))[0]
    assert lacking(text, legal_counsel=frozenset("abc")) == []


def test_nobody_counts_at_two_gates() -> None:
    """Two gates that need an auditor each need two auditors, where both rules may match."""
    text = (
        RULE + "purpose_review.approvals.auditor = 1\n"
        '[[rule]]\nname = "b"\nrisk = "high"\nlegal_approval.approvals.auditor = 1\n'
    )
    assert lacking(text)[0].startswith("line 4, rule[2]: needs more people than there are")
    assert lacking(text, auditor=frozenset("ab")) == []


def test_rules_that_never_meet_share_their_people() -> None:
    """Where no request is matched by both rules, one auditor is enough for the two."""
    text = (
        RULE + 'risk = "low"\npurpose_review.approvals.auditor = 1\n'
        '[[rule]]\nname = "b"\nrisk = "high"\nlegal_approval.approvals.auditor = 1\n'
    )
    assert lacking(text) == []


def test_an_export_that_could_never_be_triggered() -> None:
    """A cooling-off as long as the clearance holds is refused."""
    text = RULE + "[rule.export]\ncooling_off_hours = 720\n"
    assert lacking(text)[0].startswith("line 4, rule[1].export.cooling_off_hours: is as long as")
    assert lacking(text.replace("720", "719")) == []
