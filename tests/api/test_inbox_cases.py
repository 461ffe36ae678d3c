"""What eligibility needs to know, read for all requests at once, is what is read one by one."""

from dataclasses import replace

from sqlmodel import Session, select

from sharing.eligibility import Actor
from sharing.records import decisions, inbox, requests, reviews
from sharing.records.cases import cases
from sharing.records.inbox import Show, Sought
from sharing.records.parties import actor, roles_of
from sharing.records.requests import Request
from sharing.stages import GATE_ROLES, Role
from tests.api.test_delegations import body as delegation
from tests.api.test_policies import AUDITED, add, in_force
from tests.api.test_waivers import agreed, asked, gift
from tests.api.world import World

MANY = 1000


async def every_kind(world: World) -> None:
    """Requests that differ in all that eligibility looks at."""
    await add(world, "reviewer2", Role.PURPOSE_REVIEWER)
    await add(world, "admin2", Role.ADMIN)
    await world.submitted(title="plain")
    await world.submitted(title="sponsored", sponsor="reviewer2@example.org")
    await world.submitted(title="sponsored by nobody here", sponsor="gone@example.org")
    await _decided(world)
    waived = await world.submitted(title="waived")
    made = (await asked(world, waived, "reviewer2", await gift(world, "reviewer2"))).json()
    assert (await agreed(world, waived, made["id"], "legal_counsel")).json()["granted"] is True
    await world.submitted(title="of a policy's past")
    await in_force(world, AUDITED)
    both = await world.submitted(title="two roles")
    await world.decide(both, "purpose_review", who="auditor")
    link = {"same_as": "admin2@example.org"}
    answer = await world.post("admin", f"/v1/people/{world.people['auditor']}/links", link)
    assert answer.status_code in (200, 201), answer.text
    given = delegation(to=world.people["engineer"])
    assert (await world.post("purpose_reviewer", "/v1/delegations", given)).status_code == 201


async def _decided(world: World) -> None:
    """Decided once, taken back, void by a revision, ended."""
    at = "purpose_review"
    await world.decide(await world.submitted(title="decided"), at)
    back = await world.submitted(title="taken back")
    taken = (await world.decide(back, at)).json()["decision"]
    path = f"/v1/requests/{back['id']}/decisions/{taken}/take-back"
    assert (await world.post("purpose_reviewer", path, {})).status_code == 200
    changed = await world.submitted(title="changed")
    await world.decide(changed, at, who="reviewer2")
    path = f"/v1/requests/{changed['id']}/revisions"
    assert (await world.post("partner", path, {"retention_days": 9})).status_code == 201
    await world.decide(await world.submitted(title="refused"), at, "refused")


async def test_all_at_once_is_one_by_one(there: World) -> None:
    """Every case, and who is still to approve, are the same read in bulk and read singly."""
    await every_kind(there)

    def compared(session: Session) -> int:
        rows = list(session.exec(select(Request)).all())
        found = cases(session, rows, select(Request.id))
        for row in rows:
            assert found.of[row.id] == requests.case(session, row), row.title
            counted = {one.id for one in requests.counted(session, row)}
            assert {one.id for one in found.standing[row.id]} == counted, row.title
            for stage in GATE_ROLES:
                one = decisions.lacking(session, row, stage)
                assert list(found.lacking(row, stage)) == list(one), (row.title, stage)
        return len(rows)

    assert await there.database.read(compared) == 10


async def test_the_inbox_holds_what_the_api_says_waits(there: World) -> None:
    """For everybody in every role, the page's inbox has the very requests that `GET /v1/reviews`
    has to decide; nobody is shown a request in two of `mine` and `others` at once."""
    await every_kind(there)

    def compared(session: Session) -> int:
        seen = 0
        for person_id in there.people.values():
            for role in roles_of(session, person_id):
                mine = _mine(session, person_id, role)
                assert _shown(session, person_id, role, Show.WAITING) == mine
                assert not mine & _shown(session, person_id, role, Show.OTHERS)
                seen += len(mine)
        return seen

    assert await there.database.read(compared) > 10


def _in_role(session: Session, person_id: str, role: Role) -> Actor:
    """Somebody as a session of one role knows them."""
    person = actor(session, person_id)
    assert person is not None
    return replace(person, roles=frozenset({role}))


def _shown(session: Session, person_id: str, role: Role, show: Show) -> set[str]:
    found = inbox.inbox(session, _in_role(session, person_id, role), role, Sought(show), MANY)
    assert found.next is None
    return {one["request"] for one in found.items}


def _mine(session: Session, person_id: str, role: Role) -> set[str]:
    found = reviews.waiting(session, _in_role(session, person_id, role), role, MANY, "")
    return {one["request"] for one in found if one["act"] == "decide"}
