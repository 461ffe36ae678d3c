"""What a policy asks of a request: always the four gates, and the strictest of what matches."""

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sharing.quorum import Need, Vote, outcome
from sharing.rulebook import ExportRule, Facts, GateRule, Policy, Risk, Rule, When, asked
from sharing.rulebook_file import packaged, read
from sharing.stages import GATE_ROLES, GATES, STAFF, Outcome, Role, Stage

TRAINING = Facts("ai:ModelTraining", "pd:Picture", False, 1000)
LAW = Stage.LEGAL_APPROVAL

FACTS = st.builds(
    Facts,
    st.sampled_from(["ai:ModelTraining", "dpv:Marketing", "ai:FaceRecognition", "own:Gone"]),
    st.sampled_from(["pd:Picture", "pd:ProfilePicture"]),
    st.booleans(),
    st.integers(0, 10_000),
    st.sampled_from(Risk),
)
WHENS = st.builds(
    When,
    st.frozensets(st.sampled_from(["ai:AIDevelopment", "dpv:Marketing"]), max_size=2),
    st.frozensets(st.sampled_from(["pd:Picture"]), max_size=1),
    st.frozensets(st.sampled_from(Risk), max_size=2),
    st.sampled_from([None, True, False]),
    st.sampled_from([0, 100, 5000]),
)
HOURS = st.builds(timedelta, hours=st.integers(0, 100))
NEEDS = st.builds(Need, st.sampled_from(sorted(STAFF)), st.integers(1, 5))
GATE_RULES = st.builds(
    GateRule,
    st.lists(NEEDS, max_size=3).map(tuple),
    st.just(()),
    st.booleans(),
    HOURS,
    st.none() | st.integers(1, 90),
)
RULES = st.builds(
    Rule,
    st.just("r"),
    WHENS,
    st.dictionaries(st.sampled_from(GATES), GATE_RULES),
    st.builds(ExportRule, st.sampled_from([1, 2]), HOURS),
)
POLICIES = st.builds(Policy, st.lists(RULES, max_size=5).map(tuple))


def wanted(policy: Policy, facts: Facts = TRAINING) -> Mapping[Role, int]:
    """How many approve in which role at the last gate."""
    return {need.role: need.approvals for need in asked(policy, facts).gates[LAW].needs}


def counsel(number: int, **when: object) -> Rule:
    """A rule by which so many lawyers approve."""
    gates = {LAW: GateRule((Need(Role.LEGAL_COUNSEL, number),))}
    return Rule("r", When(**when), gates)  # type: ignore[arg-type]


@given(POLICIES, FACTS)
def test_a_policy_never_weakens(policy: Policy, facts: Facts) -> None:
    """Under any policy, each of the four gates needs its own role, and a special category two
    engineers; and every rule that matches gets at least what it asks for."""
    whole = asked(policy, facts)
    assert list(whole.gates) == list(GATES)
    assert whole.export.engineers >= (2 if facts.special_category else 1)
    for stage, gate in whole.gates.items():
        people = {need.role: need.approvals for need in gate.needs}
        assert people[GATE_ROLES[stage]] >= 1
        for rule in (
            r.gates[stage] for r in policy.rules if r.when.matches(facts) and stage in r.gates
        ):
            assert all(people[need.role] >= need.approvals for need in rule.needs)
            assert gate.blind >= rule.blind
            assert gate.cooling_off >= rule.cooling_off
            assert rule.days is None or (gate.days is not None and gate.days <= rule.days)


@given(POLICIES, RULES, FACTS)
def test_another_rule_only_adds(policy: Policy, rule: Rule, facts: Facts) -> None:
    """A policy with one rule more asks for no approval, engineer or hour less."""
    before = asked(policy, facts)
    after = asked(Policy((*policy.rules, rule)), facts)
    assert after.export.engineers >= before.export.engineers
    assert after.export.cooling_off >= before.export.cooling_off
    for stage in GATES:
        had = {n.role: n.approvals for n in before.gates[stage].needs}
        have = {n.role: n.approvals for n in after.gates[stage].needs}
        assert all(have[role] >= number for role, number in had.items())
        assert after.gates[stage].cooling_off >= before.gates[stage].cooling_off


@given(POLICIES, FACTS)
def test_the_order_of_rules_does_not_matter(policy: Policy, facts: Facts) -> None:
    """The strictest wins, wherever in the file it stands."""
    assert asked(policy, facts) == asked(Policy(policy.rules[::-1]), facts)


@given(st.lists(st.sampled_from(sorted(STAFF)), max_size=8), POLICIES, FACTS)
def test_a_gate_is_never_approved_without_its_own_role(
    roles: list[Role], policy: Policy, facts: Facts
) -> None:
    """However many people of other roles approve, a gate waits for its own."""
    votes = [Vote(f"p{i}", r, Outcome.APPROVED) for i, r in enumerate(roles)]
    for stage, gate in asked(policy, facts).gates.items():
        others = [vote for vote in votes if vote.role is not GATE_ROLES[stage]]
        assert outcome(gate.needs, others) is None


def test_the_packaged_policy_asks_for_nothing_more() -> None:
    """Version 1 asks of every request exactly what was asked before there were policies."""
    policy = read(packaged())
    for special in (False, True):
        whole = asked(policy, Facts("ai:ModelTraining", "pd:Picture", special, 10**9, Risk.HIGH))
        assert whole.export == ExportRule(2 if special else 1)
        for stage, gate in whole.gates.items():
            assert gate == GateRule((Need(GATE_ROLES[stage], 1),))


def test_a_rule_for_a_wider_term_speaks_of_narrower_ones() -> None:
    """A rule for AI development is about model training; one for model training is not about AI
    development."""
    wide = Policy((counsel(2, purposes=frozenset({"ai:AIDevelopment"})),))
    narrow = Policy((counsel(2, purposes=frozenset({"ai:ModelTraining"})),))
    above = Facts("ai:AIDevelopment", "pd:Picture", False, 1)
    assert wanted(wide)[Role.LEGAL_COUNSEL] == 2
    assert wanted(narrow, above)[Role.LEGAL_COUNSEL] == 1


def test_all_that_a_rule_says_must_be_so() -> None:
    """A rule for much data of partners at risk is not about little of it, nor about others."""
    policy = Policy((counsel(2, risks=frozenset({Risk.HIGH}), objects_from=1000),))
    found = [
        wanted(policy, Facts("ai:ModelTraining", "pd:Picture", False, objects, risk))
        for objects in (999, 1000)
        for risk in (Risk.STANDARD, Risk.HIGH)
    ]
    assert [one[Role.LEGAL_COUNSEL] for one in found] == [1, 1, 1, 2]


def test_two_rules_that_match_are_joined() -> None:
    """Of two rules, the higher number in each role counts: they do not add up."""
    auditor = Rule(
        "a", When(), {LAW: GateRule((Need(Role.AUDITOR, 1), Need(Role.LEGAL_COUNSEL, 1)))}
    )
    assert wanted(Policy((counsel(2), auditor))) == {Role.LEGAL_COUNSEL: 2, Role.AUDITOR: 1}
