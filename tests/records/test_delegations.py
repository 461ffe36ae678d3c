"""Delegation: another holds my role for a while, and the two of us count as one."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, update

from sharing.errors import Refused
from sharing.records import accounts, audit, handing_over, parties, requests
from sharing.records.delegations import Delegation
from sharing.records.parties import Person, RoleGrant
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.records.viewer import Viewer
from sharing.records.views import request_view
from sharing.stages import GATES, Role
from tests.records.desk import Desk
from tests.records.refusals import refusal, sizes

REVIEW, CONSENT = GATES[0], GATES[1]
REVIEWER = Role.PURPOSE_REVIEWER
WEEK = timedelta(days=7)


async def delegated(
    desk: Desk, who: str, to: str, role: Role = REVIEWER, *, begins: timedelta = timedelta()
) -> str:
    """A delegation for a week; returns its id."""

    def work(unit: Unit) -> str:
        since = now() + begins
        first, second = (unit.session.get_one(Person, one) for one in (who, to))
        row = handing_over.hand_over(unit, first, second, role, since, since + WEEK, "away", who)
        return row.id

    return await desk.database.write(work)


async def person(desk: Desk, name: str, *roles: Role) -> str:
    """Somebody more."""
    return await desk.database.write(
        lambda u: parties.add_person(u.session, name, f"{name}@example.org", roles).id
    )


async def at_review(desk: Desk, **changes: object) -> tuple[str, str]:
    """A request at its first gate."""
    request, digest = await desk.submitted(**changes)
    await desk.opened(request, digest, REVIEW)
    return request, digest


async def may(desk: Desk, request: str, who: str) -> bool:
    """True where the one eligibility function lets somebody decide at the first gate."""

    def query(session: Session) -> list[str]:
        row = requests.get(session, request)
        view = request_view(Viewer(session, inside=True), row)
        people: list[str] = view["waiting_for"]["people"]
        return people

    return who in await desk.database.read(query)


async def test_a_deputy_decides_in_the_others_place(desk: Desk) -> None:
    """Who was handed a role may decide, and the decision shows for whom; taken back, no more."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    made = await delegated(desk, boss, deputy)
    request, digest = await at_review(desk)
    assert await may(desk, request, deputy)
    await desk.decided(request, digest, REVIEW, actor=deputy)
    view = await desk.database.read(
        lambda s: request_view(Viewer(s, inside=True), requests.get(s, request))
    )
    taken = view["stages"][0]["decisions"][0]
    assert (taken["actor"], taken["delegated_by"]) == (deputy, boss)
    log = await desk.database.read(lambda s: audit.page(s, 0, 10_000, request))
    assert [e.detail["delegated_by"] for e in log if e.action == "decision.taken"] == [boss]
    await desk.database.write(
        lambda u: handing_over.take_back(u, u.session.get_one(Delegation, made), boss)
    )
    other, _ = await at_review(desk)
    assert not await may(desk, other, deputy)


@pytest.mark.parametrize("whose", ["boss", "deputy"])
async def test_the_recusals_of_both_count(desk: Desk, whose: str) -> None:
    """An interest of either keeps the deputy from deciding."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    await delegated(desk, boss, deputy)
    await desk.world.declare_interest({"boss": boss, "deputy": deputy}[whose], "Northlight Vision")
    request, digest = await at_review(desk)
    assert not await may(desk, request, deputy)
    decision = desk.decided(request, digest, REVIEW, actor=deputy)
    assert await refusal(desk, decision) == "not_eligible"


async def test_nobody_sponsors_through_a_deputy(desk: Desk) -> None:
    """The sponsor's deputy does not decide either."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    await delegated(desk, boss, deputy)
    request, digest = await at_review(desk, sponsor=boss)
    decision = desk.decided(request, digest, REVIEW, actor=deputy)
    assert await refusal(desk, decision) == "not_eligible"


@pytest.mark.parametrize("first", ["boss", "deputy"])
async def test_the_two_decide_once_between_them(desk: Desk, first: str) -> None:
    """Where one of the two decided as the other's, the other decides nowhere on this request."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    steward = Role.CONSENT_STEWARD
    await desk.database.write(lambda u: parties.grant_roles(u.session, boss, [steward]))
    role, gates = (
        (REVIEWER, (REVIEW, CONSENT)) if first == "deputy" else (steward, (REVIEW, CONSENT))
    )
    await delegated(desk, boss, deputy, role)
    request, digest = await at_review(desk)
    await desk.decided(request, digest, gates[0], actor={"deputy": deputy, "boss": boss}[first])
    await desk.opened(request, digest, gates[1])
    second = {"deputy": boss, "boss": deputy}[first]
    decision = desk.decided(request, digest, gates[1], actor=second)
    assert await refusal(desk, decision) == "not_eligible"


async def test_a_role_that_its_holder_lost_is_handed_to_nobody(desk: Desk) -> None:
    """Whose delegator has left acts for nobody any more."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    await delegated(desk, boss, deputy)
    await desk.database.write(
        lambda u: u.session.execute(
            update(RoleGrant).where(col(RoleGrant.person_id) == boss).values(valid_until=now())
        )
    )
    request, digest = await at_review(desk)
    assert not await may(desk, request, deputy)
    decision = desk.decided(request, digest, REVIEW, actor=deputy)
    assert await refusal(desk, decision) == "not_eligible"


async def test_a_delegation_begins_when_it_says(desk: Desk) -> None:
    """Before its first day a delegation gives nothing."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    await delegated(desk, boss, deputy, begins=timedelta(days=1))
    request, _ = await at_review(desk)
    assert not await may(desk, request, deputy)


async def test_a_chain_is_refused_and_named(desk: Desk) -> None:
    """A deputy hands nothing on, neither further nor back: the refusal names the way that it would
    go, and nothing is written."""
    boss, deputy, third = (
        desk.world.people[REVIEWER],
        await person(desk, "deputy"),
        await person(desk, "third"),
    )
    await delegated(desk, boss, deputy)
    before = await desk.database.read(sizes)
    cases: list[tuple[str, str, str]] = [
        (deputy, third, f"{boss} > {deputy} > {third} would be a chain"),
        (deputy, boss, f"{boss} > {deputy} > {boss} would be a circle"),
    ]
    for who, to, words in cases:
        with pytest.raises(Refused, match=words) as refused:
            await delegated(desk, who, to)
        assert refused.value.code == "delegation_chain"
    assert await desk.database.read(sizes) == before


@pytest.mark.parametrize(
    ("to", "role", "path"),
    [
        ("boss", REVIEWER, "to"),
        ("deputy", Role.ENGINEER, "role"),
        ("deputy", Role.LEGAL_COUNSEL, "role"),
        ("holder", REVIEWER, "to"),
        ("twin", REVIEWER, "to"),
    ],
)
async def test_what_cannot_be_handed_over(desk: Desk, to: str, role: Role, path: str) -> None:
    """To oneself under any account, to who has the role, of a role one lacks or that is no gate's:
    each is refused by its field."""

    boss = desk.world.people[REVIEWER]
    people = {
        "boss": boss,
        "deputy": await person(desk, "deputy"),
        "holder": await person(desk, "holder", REVIEWER),
        "twin": await person(desk, "twin"),
    }
    await desk.database.write(lambda u: accounts.link(u.session, boss, people["twin"], "adm"))
    with pytest.raises(Refused) as refused:
        await delegated(desk, boss, people[to], role)
    assert [e.path for e in refused.value.errors] == [path]


async def test_made_again_behind_its_end(desk: Desk) -> None:
    """A delegation that was taken back before it began can be made again for the same days."""
    boss, deputy = desk.world.people[REVIEWER], await person(desk, "deputy")
    first = await delegated(desk, boss, deputy, begins=WEEK)

    def again(unit: Unit) -> bool:
        row = unit.session.get_one(Delegation, first)
        ended = handing_over.take_back(unit, row, boss)
        first_one, second = (unit.session.get_one(Person, one) for one in (boss, deputy))
        unit.session.flush()
        dates = row.valid_from, row.valid_until
        handing_over.hand_over(unit, first_one, second, REVIEWER, *dates, "away", boss)
        return ended and not handing_over.take_back(unit, row, boss)

    assert await desk.database.write(again)
    later = now() + WEEK + timedelta(days=1)
    roles = await desk.database.read(lambda s: parties.roles_of(s, deputy, later))
    assert roles == {REVIEWER}
