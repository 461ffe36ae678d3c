"""Who may act: over random people, roles and cases, never two acts by one, never an interest."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sharing.eligibility import (
    WAIVE_ROLES,
    Act,
    Actor,
    Case,
    demand,
    demand_may_waive,
    demand_own,
    roles_for,
)
from sharing.errors import NotEligible
from sharing.stages import GATE_ROLES, GATES, Role, Stage

# Few people, who mostly hold every role: so that nothing but the rule in question stands between
# them and the act.
IDS = ["per_a", "per_b", "per_c"]
ids = st.sampled_from(IDS)
sets_of_ids = st.frozensets(ids, max_size=1)
actors = st.builds(
    Actor,
    id=ids,
    roles=st.just(frozenset(Role)) | st.frozensets(st.sampled_from(Role), max_size=4),
    partner_id=st.sampled_from([None, None, None, "ptr"]),
)
cases = st.builds(
    Case,
    partner_id=st.just("ptr"),
    sponsor=st.none() | ids,
    recused=sets_of_ids,
    deciders=sets_of_ids,
    earlier_deciders=sets_of_ids,
    triggered_by=st.none() | ids,
)
ACTS: list[tuple[Act, Stage | None]] = [
    *((Act.DECIDE, stage) for stage in GATES),
    (Act.TRIGGER, None),
    (Act.CONFIRM, None),
    (Act.CANCEL, None),
]
acts = st.sampled_from(ACTS)
ALL, OTHERS = Actor("per_a", frozenset(Role)), frozenset({"per_b"})


def why_not(act: Act, actor: Actor, case: Case, stage: Stage | None) -> str | None:
    """Why this person may not; None if they may."""
    try:
        demand(act, actor, case, stage)
    except NotEligible as refused:
        return refused.why
    return None


def test_each_thing_that_stands_in_the_way() -> None:
    """A person who may act may not once anything at all speaks against it, and the word for it is
    the right one."""
    person, case = Actor("per_a", frozenset(Role)), Case("ptr", None, frozenset(), frozenset())
    against = {
        "role": (replace(person, roles=frozenset()), case),
        "partner_staff": (replace(person, partner_id="ptr"), case),
        "sponsor": (person, replace(case, sponsor="per_a")),
        "recused": (person, replace(case, recused=frozenset({"per_a"}))),
        "same_person": (person, replace(case, deciders=frozenset({"per_a"}))),
    }
    for act, stage in ACTS:
        assert why_not(act, person, case, stage) is None
        for why, (who, what) in against.items():
            free = act is Act.CANCEL and why != "role"
            assert why_not(act, who, what, stage) == (None if free else why)
    late = replace(person, lapsed=True)
    assert why_not(Act.DECIDE, late, case, GATES[0]) == "declaration"
    assert why_not(Act.TRIGGER, late, case, None) is None
    before = replace(case, earlier_deciders=frozenset({"per_a"}))
    assert why_not(Act.DECIDE, person, before, GATES[0]) is None
    assert why_not(Act.TRIGGER, person, before, None) == "same_person"
    triggered = replace(case, triggered_by="per_a")
    assert why_not(Act.CONFIRM, person, triggered, None) == "same_person"
    assert why_not(Act.CANCEL, person, triggered, None) is None


@given(what=acts, actor=actors, case=cases)
def test_who_may_act_has_nothing_against_them(
    what: tuple[Act, Stage | None], actor: Actor, case: Case
) -> None:
    """Whoever may decide, trigger or confirm holds the role, has not acted on this request yet,
    and is neither sponsor, nor recused, nor of a partner's staff (I2, I3, I21, F9)."""
    act, stage = what
    if why_not(act, actor, case, stage) is not None or act is Act.CANCEL:
        return
    assert roles_for(act, stage) & actor.roles
    assert actor.partner_id is None
    assert actor.id not in {case.sponsor, *case.recused, *case.deciders}
    assert act is Act.DECIDE or actor.id not in case.earlier_deciders
    assert act is not Act.CONFIRM or actor.id != case.triggered_by


@given(what=acts, actor=actors, case=cases)
def test_who_may_not_act_is_told_a_true_reason(
    what: tuple[Act, Stage | None], actor: Actor, case: Case
) -> None:
    """Every refusal names something that really stands in this person's way."""
    act, stage = what
    first = act is Act.CONFIRM and actor.id == case.triggered_by
    earlier = act is not Act.DECIDE and actor.id in case.earlier_deciders
    truths = {
        None: True,
        "role": not roles_for(act, stage) & actor.roles,
        "partner_staff": actor.partner_id is not None,
        "sponsor": case.sponsor == actor.id,
        "recused": actor.id in case.recused,
        "same_person": actor.id in case.deciders or first or earlier,
    }
    assert truths[why_not(act, actor, case, stage)]


@given(actor=actors, case=cases, whom=sets_of_ids, agreed=sets_of_ids)
def test_a_waiver_is_agreed_to_by_whoever_gains_nothing(
    actor: Actor, case: Case, whom: frozenset[str], agreed: frozenset[str]
) -> None:
    """Exactly those agree to a waiver who are officer, counsel or auditor, have no interest in the
    request and none in the waiver, and did not agree before."""
    free = actor.partner_id is None and actor.id not in {case.sponsor, *case.recused}
    may = bool(WAIVE_ROLES & actor.roles) and free and actor.id not in whom | agreed
    try:
        demand_may_waive(actor, case, whom, agreed)
    except NotEligible:
        assert not may
    else:
        assert may


def test_a_decision_is_its_deciders_own() -> None:
    """Only who took a decision, by whichever account, may take it back."""
    demand_own(Actor("per_a", frozenset()), frozenset({"per_a", "per_b"}))
    with pytest.raises(NotEligible) as refused:
        demand_own(Actor("per_c", frozenset()), frozenset({"per_a", "per_b"}))
    assert refused.value.why == "not_yours"


@given(actor=actors, case=cases)
def test_stopping_needs_only_a_role(actor: Actor, case: Case) -> None:
    """An engineer, a conflict officer and counsel may always stop an export; nobody else may."""
    may = bool({Role.ENGINEER, Role.CONFLICT_OFFICER, Role.LEGAL_COUNSEL} & actor.roles)
    assert (why_not(Act.CANCEL, actor, case, None) is None) == may


@given(people=st.lists(actors, min_size=1, max_size=8, unique_by=lambda one: one.id), case=cases,
       order=st.lists(st.integers(0, 7), min_size=8, max_size=40))  # fmt: skip
def test_a_whole_request_takes_six_people(
    people: list[Actor], case: Case, order: list[int]
) -> None:
    """Whoever tries, in whatever order: the acts that go through on one request are all by
    different people."""
    case = Case(case.partner_id, case.sponsor, case.recused, frozenset())
    took: list[str] = []
    steps = [*((Act.DECIDE, stage) for stage in GATES), (Act.TRIGGER, None), (Act.CONFIRM, None)]
    for number in order:
        if len(took) == len(steps):
            break
        actor, (act, stage) = people[number % len(people)], steps[len(took)]
        if why_not(act, actor, case, stage) is not None:
            continue
        took.append(actor.id)
        deciders = frozenset(took[: len(GATES)])
        triggered = took[len(GATES)] if len(took) > len(GATES) else None
        case = Case(case.partner_id, case.sponsor, case.recused, deciders, triggered)
    assert len(set(took)) == len(took)


@given(actor=actors, case=cases)
def test_no_role_decides_beyond_its_gate(actor: Actor, case: Case) -> None:
    """Export and stewardship are decided by nobody, and a gate only by its own role."""
    for stage in Stage:
        only = {GATE_ROLES[stage]} if stage in GATES else set()
        assert roles_for(Act.DECIDE, stage) == only
    for other in (Stage.EXPORT, Stage.STEWARDSHIP, None):
        assert why_not(Act.DECIDE, actor, case, other) == "role"


@example((Act.DECIDE, GATES[0]), ALL, Case("ptr", None, OTHERS, frozenset()), "per_b")
@example((Act.DECIDE, GATES[0]), ALL, Case("ptr", None, frozenset(), OTHERS), "per_b")
@example((Act.DECIDE, GATES[0]), ALL, Case("ptr", "per_b", frozenset(), frozenset()), "per_b")
@given(act=acts, actor=actors, case=cases, other=ids)
def test_two_who_act_as_one_are_barred_by_what_bars_either(
    act: tuple[Act, Stage | None], actor: Actor, case: Case, other: str
) -> None:
    """Who acts for another in the role that is needed may do what both of them may, and nothing
    else; in any other role the other does not matter."""
    needed = roles_for(*act)
    alone = why_not(act[0], actor, case, act[1])
    others = why_not(act[0], replace(actor, id=other), case, act[1])
    both = why_not(
        act[0], replace(actor, stands_for=frozenset((r, other) for r in needed)), case, act[1]
    )
    assert (both is None) == (alone is None and others is None)
    elsewhere = frozenset((r, other) for r in frozenset(Role) - needed)
    assert why_not(act[0], replace(actor, stands_for=elsewhere), case, act[1]) == alone
