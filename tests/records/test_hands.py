"""Who stands behind a decision that somebody else took for them: what becomes known of that person
undoes it, as if they had taken it."""

import pytest

from sharing.errors import NotEligible
from sharing.records import linking, parties
from sharing.records.late_interests import Followed
from sharing.records.unit import Unit
from sharing.stages import GATES, Role
from tests.records.desk import Desk
from tests.records.late import known
from tests.records.test_delegations import REVIEW, at_review, delegated, may, person

BOSS = Role.PURPOSE_REVIEWER


async def cleared_by_a_deputy(desk: Desk) -> str:
    """A cleared request, at whose first gate a deputy decided for the reviewer."""
    deputy = await person(desk, "deputy")
    await delegated(desk, desk.world.people[BOSS], deputy)
    request, digest = await at_review(desk)
    await desk.decided(request, digest, REVIEW, actor=deputy)
    for stage in GATES[1:]:
        await desk.passed(request, digest, stage)
    assert (await desk.world.request(request)).state == "cleared"
    return request


async def linked(desk: Desk, *roles: Role, partner: str | None = None) -> Followed | None:
    """Another account turns out to be the reviewer's; what comes of it."""

    def work(unit: Unit) -> Followed | None:
        twin = parties.add_person(unit.session, "Twin", "twin@example.org", roles, partner)
        boss, admin = desk.world.people[BOSS], desk.world.people["admin"]
        return linking.link(unit, boss, twin.id, admin)

    return await desk.database.write(work)


async def at_first_gate_again(desk: Desk, request: str, followed: Followed | None) -> None:
    """The deputy's approval counts no longer, and its gate is open again."""
    assert followed is not None
    assert len(followed.voided) == 1
    assert (followed.changed, (await desk.world.request(request)).state) == ([request], REVIEW)


async def test_an_interest_of_who_stands_behind(desk: Desk) -> None:
    """An interest of the reviewer that is found later undoes what the deputy decided for them."""
    request = await cleared_by_a_deputy(desk)
    await at_first_gate_again(desk, request, await known(desk, BOSS))


async def test_who_stands_behind_works_for_a_partner(desk: Desk) -> None:
    """Where the reviewer's other account is a partner's, the deputy's decision counts no longer."""
    request = await cleared_by_a_deputy(desk)
    followed = await linked(desk, Role.PARTNER, partner=desk.world.partner)
    await at_first_gate_again(desk, request, followed)


async def test_nobody_decides_for_who_works_for_a_partner(desk: Desk) -> None:
    """A deputy of somebody whose other account is a partner's is not asked, and refused."""
    deputy = await person(desk, "deputy")
    await delegated(desk, desk.world.people[BOSS], deputy)
    request, digest = await at_review(desk)
    assert await may(desk, request, deputy)
    await linked(desk, Role.PARTNER, partner=desk.world.partner)
    assert not await may(desk, request, deputy)
    with pytest.raises(NotEligible, match="People of a partner"):
        await desk.decided(request, digest, REVIEW, actor=deputy)


async def test_who_decided_works_for_a_partner(desk: Desk) -> None:
    """Where an account of who decided in person is a partner's, the decision counts no longer."""
    request, _ = await desk.cleared()
    await at_first_gate_again(
        desk, request, await linked(desk, Role.PARTNER, partner=desk.world.partner)
    )


async def test_another_account_changes_nothing_by_itself(desk: Desk) -> None:
    """An account that bars nobody leaves the deputy's decision as it is."""
    request = await cleared_by_a_deputy(desk)
    followed = await linked(desk, Role.AUDITOR)
    assert followed == Followed()
    assert (await desk.world.request(request)).state == "cleared"
