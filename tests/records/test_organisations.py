"""The graph as it is recorded: who is the same, what is told twice, and what leads to a partner."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from sharing.conflict import InterestKind, Match, Organisation, Screening
from sharing.ownership import Edge, EdgeKind
from sharing.records import gathering, interests, late_interests, organisations, rulings
from sharing.records.database import Database
from sharing.records.gathering import Entity, Gathered, Hold
from sharing.records.graph import RecordedGraph
from sharing.records.rulings import Said
from sharing.records.screenings import FEW
from sharing.records.unit import Unit
from sharing.screening import Limits, around
from sharing.stages import Stage
from sharing.ties import words
from tests.records.desk import Desk, at_desk
from tests.sharing.graphs import Drawn, every_path

LEI, OTHER_LEI = "5493001KJTIIGC8Y1R12", "254900OPPU84GM83MG36"
TODAY = date(2026, 6, 1)
PARENT = Entity("Northlight Holding")  # the parent that the world's partner names
PARTNER = Entity("Northlight Vision")


def holds(owner: Entity | str, owned: Entity | str, share: float | None = None) -> Hold:
    """A hold by ownership."""
    first, second = (Entity(one) if isinstance(one, str) else one for one in (owner, owned))
    return Hold(first, second, EdgeKind.OWNERSHIP, share, share)


async def gathered(database: Database, *told: Hold, source: str = "staff") -> Gathered:
    """Holds on record."""
    return await database.write(lambda u: gathering.gather(u.session, [], told, source))


async def declared(desk: Desk, role: str, organisation: Organisation) -> str:
    """An interest of somebody: its id."""
    person = desk.world.people[role]
    interest = await desk.database.write(
        lambda u: interests.declare(
            u, person, organisation, InterestKind.FUND, TODAY, None, "", person
        )
    )
    return interest.id


async def found(desk: Desk, *recipients: str) -> list[Match]:
    """The matches of the world's partner."""
    return await desk.database.read(
        lambda s: interests.matches(s, desk.world.partner, recipients=recipients)
    )


async def screened(desk: Desk, *recipients: str) -> Screening:
    """All that is known of the world's partner."""
    return await desk.database.read(lambda s: interests.screened(s, desk.world.partner, recipients))


async def test_a_fund_behind_the_parent_is_found(desk: Desk) -> None:
    """A fund that holds the partner's parent is found, and the path is told in words."""
    await gathered(desk.database, holds("Aurora Fund", PARENT, 0.2))
    await declared(desk, "legal_counsel", Organisation("aurora fund ltd"))
    (match,) = await found(desk)
    assert match.relation == "an owner of the partner"
    person = desk.world.people["legal_counsel"]
    assert words(match) == (
        f"{person} holds a stake through a fund in aurora fund ltd, which owns 20 % of Northlight "
        "Holding, which owns 80 % of Northlight Vision"
    )


async def test_subsidiaries_sisters_and_recipients_are_found(desk: Desk) -> None:
    """What the partner owns, what its parent owns too, and who it hands the data on to with their
    owners are near; each is told as what it is."""
    await gathered(
        desk.database,
        holds(PARTNER, "Daughter"),
        holds(PARENT, "Sister", 0.6),
        holds("Behind", "Onward", 0.1),
    )
    for name in ("Daughter", "Sister", "Onward", "Behind", "Elsewhere"):
        await declared(desk, "engineer", Organisation(name))
    assert {(m.organisation.name, m.relation) for m in await found(desk, "Onward GmbH", "New")} == {
        ("Daughter", "a subsidiary of the partner"),
        ("Sister", "a sister company of the partner"),
        ("Onward", "the onward recipient Onward GmbH"),
        ("Behind", "a parent of the onward recipient Onward GmbH"),
    }
    assert {m.organisation.name for m in await found(desk)} == {"Daughter", "Sister"}


async def test_a_recipient_that_nobody_knows_is_found_by_its_name(desk: Desk) -> None:
    """An interest in an onward recipient counts where the graph has never heard of it."""
    await declared(desk, "engineer", Organisation("Unheard of, Inc."))
    (match,) = await found(desk, "Unheard Of")
    assert match.relation == "the onward recipient Unheard Of"
    assert match.legs == ()


async def test_an_edge_counts_to_its_last_day(desk: Desk) -> None:
    """A hold that has ended leads nowhere; one that ends today, or begins next year, does."""
    await declared(desk, "engineer", Organisation("Aurora Fund"))
    today, day = date.today(), timedelta(days=1)  # noqa: DTZ011
    for since, until, counts in (
        (None, today - 2 * day, False),
        (None, today + day, True),
        (today + 300 * day, None, True),
    ):
        told = Hold(Entity("Aurora Fund"), PARENT, EdgeKind.FUND, None, None, since, until)
        await gathered(desk.database, told)
        assert bool(await found(desk)) == counts, (since, until)


async def test_identifier_comes_first_then_name(desk: Desk) -> None:
    """An interest finds an organisation by LEI whatever it is called, by name or alias where one of
    the two has no LEI, and not by name where the LEIs differ."""
    fund = Entity("Aurora Fund", LEI, aliases=("Boreal Fund",))
    await gathered(desk.database, holds(fund, PARENT, 0.2))
    for lei, name, counts in (
        (LEI.lower(), "Something Else", True),
        (None, "AURORA FUND", True),
        (None, "Boreal Fund S.A.", True),
        (OTHER_LEI, "Aurora Fund", False),
    ):
        interest = await declared(desk, "engineer", Organisation(name, lei))
        assert (interest in {m.interest.id for m in await found(desk)}) == counts, (lei, name)


async def test_many_interests_are_looked_through_as_few_are_looked_up(desk: Desk) -> None:
    """With more interests than are asked for one by one the answer is the same as with few."""
    fund = Entity("Aurora Fund", LEI, aliases=("Boreal Fund",))
    await gathered(desk.database, holds(fund, PARENT, 0.2), holds("Nameless", PARENT, 0.2))
    for lei, name in (
        (LEI.lower(), "Something Else"),
        (None, "AURORA FUND"),
        (None, "Boreal Fund S.A."),
        (OTHER_LEI, "Aurora Fund"),
        (OTHER_LEI, "Nameless"),
        (None, "Recipient"),
        (None, "Nortlight Vison"),
    ):
        await declared(desk, "engineer", Organisation(name, lei))
    few, asked = await screened(desk, "Recipient Ltd"), ["Recipient Ltd"]
    person = desk.world.people["auditor"]

    def fill(unit: Unit) -> None:
        for n in range(FEW):
            elsewhere = Organisation(f"Elsewhere {n:05}")
            interests.declare(unit, person, elsewhere, InterestKind.GIFT, TODAY, None, "", person)

    await desk.database.write(fill)
    assert await screened(desk, "Recipient Ltd") == few
    assert await found(desk, *asked) == few.matches
    assert [m.organisation.name for m in few.matches].count("Aurora Fund") == 3
    assert len(few.matches) == 5
    assert len(few.alike) == 1


async def test_a_path_goes_on_under_one_name(desk: Desk) -> None:
    """The partner named its parent without a LEI; what another source knows of the owners of one of
    that name and a LEI is near all the same."""
    told = Entity("Northlight Holding B.V.", LEI)
    await gathered(desk.database, holds("Aurora Fund", told, 0.2), source="gleif")
    await declared(desk, "engineer", Organisation("Aurora Fund"))
    (match,) = await found(desk)
    assert [leg.second.name for leg in match.legs] == [
        "Northlight Holding B.V.",
        "Northlight Vision",
    ]


async def test_a_known_person_of_a_source_is_nobody_here(desk: Desk) -> None:
    """A person of whom a source knows the name is a node, never matched by that name."""
    owner = Entity("Jane Doe", ref="bods:1", person=True)
    await gathered(desk.database, holds(owner, PARENT, 0.2), holds(owner, "Other Co", 0.9))
    await declared(desk, "engineer", Organisation("Jane Doe"))
    assert await found(desk) == []
    await declared(desk, "engineer", Organisation("Other Co"))
    assert [m.organisation.name for m in await found(desk)] == []  # 20 % is no say


async def test_two_people_with_one_name_stay_two(desk: Desk) -> None:
    """Two persons with one name under different refs are two: the companies of one are no sisters
    of those of the other."""
    one, other = (Entity("Jane Doe", ref=f"bods:{n}", person=True) for n in (1, 2))
    await gathered(desk.database, holds(one, PARENT, 0.9), holds(other, "Other Co", 0.9))
    await gathered(desk.database, holds(one, "Own Co", 0.9))
    for name in ("Other Co", "Own Co"):
        await declared(desk, "engineer", Organisation(name))
    assert [m.organisation.name for m in await found(desk)] == ["Own Co"]


async def test_what_is_told_twice_is_known(database: Database) -> None:
    """The same again changes nothing; a share that is told otherwise takes the place of the old."""
    fund = Entity("Aurora Fund", LEI, aliases=("Boreal",))
    first = await gathered(database, holds(fund, "Northlight", 0.2))
    again = await gathered(database, holds(fund, "Northlight", 0.2))
    assert (first.organisations, first.edges, first.changed) == (2, 1, True)
    assert (again.organisations, again.edges, again.known, again.changed) == (0, 0, 1, False)
    other = await gathered(database, holds(fund, "Northlight", 0.3))
    assert (other.edges, other.known, other.changed) == (1, 0, True)


def _named(unit: Unit, told: Entity) -> Gathered:
    return gathering.gather(unit.session, [told], [], "gleif")


async def test_a_name_comes_later(database: Database) -> None:
    """Who was only pointed at by LEI has its name as soon as somebody tells it; another name after
    that is one more name."""
    await gathered(database, holds(Entity(lei=LEI), "Northlight"))
    for name in ("Aurora Fund", "Boreal Fund"):
        await database.write(partial(_named, told=Entity(name, LEI)))

    def query(session: Session) -> list[set[int]]:
        asked = [Organisation(name) for name in ("Aurora Fund", "Boreal Fund", LEI)]
        return organisations.resolve(session, asked)

    aurora, boreal, by_code = await database.read(query)
    assert aurora == boreal != set()
    assert by_code == set()


async def test_more_than_all_is_told(desk: Desk) -> None:
    """Shares that add up to more than all are named in the answer and in the screening; what two
    sources tell of one owner counts once, and what has ended not at all."""
    again = await gathered(desk.database, holds(PARENT, PARTNER, 0.8), source="bods")
    assert again.over_all == []
    past = Hold(Entity("Past"), PARTNER, EdgeKind.OWNERSHIP, 0.9, 0.9, None, date(2020, 1, 1))
    assert (await gathered(desk.database, past)).over_all == []
    more = await gathered(desk.database, holds("Second", PARTNER, 0.3))
    assert more.over_all == ["Northlight Vision"]
    assert (await screened(desk)).over_all == ["Northlight Vision"]


async def test_alike_names_wait_for_a_ruling(desk: Desk) -> None:
    """A name that is only alike is no match and not silent; confirmed it is a match, dismissed it
    is none, and the last word counts."""
    interest = await declared(desk, "engineer", Organisation("Nortlight Vison"))
    (pair,) = (await screened(desk)).alike
    assert (pair.interest.id, pair.organisation.name) == (interest, "Northlight Vision")
    assert await found(desk) == []
    officer = desk.world.people["conflict_officer"]
    for said, matched in ((Said.DISMISSED, 0), (Said.CONFIRMED, 1), (Said.DISMISSED, 0)):

        def say(unit: Unit, said: Said = said) -> None:
            about = (interest, pair.organisation.number)
            rulings.rule(unit.session, about, said, "Looked up.", officer)

        await desk.database.write(say)
        seen = await screened(desk)
        assert len(seen.matches) == matched
        assert [one.ruling for one in seen.alike] == ([] if matched else ["dismissed"])
        assert all("confirmed to be Northlight Vision" in words(m) for m in seen.matches)


async def test_two_identifiers_are_never_alike(desk: Desk) -> None:
    """Organisations with different LEIs are no question, however alike their names are."""
    await gathered(desk.database, holds(Entity("Aurora Fund", LEI), PARTNER))
    await declared(desk, "engineer", Organisation("Aurora Funds", OTHER_LEI))
    assert (await screened(desk)).alike == []


async def test_everybody_is_recused_when_more_is_known(desk: Desk) -> None:
    """An edge that comes later recuses from open requests whoever it makes a match of."""
    request, _ = await desk.submitted()
    await declared(desk, "legal_counsel", Organisation("Aurora Fund"))
    recuse = late_interests.follow_all
    assert (await desk.database.write(lambda u: recuse(u, "admin"))).recused == []
    await gathered(desk.database, holds("Aurora Fund", PARENT, 0.01))
    person = desk.world.people["legal_counsel"]
    assert (await desk.database.write(lambda u: recuse(u, "admin"))).recused == [(request, person)]
    assert (await desk.database.write(lambda u: recuse(u, "admin"))).recused == []


async def test_a_revision_is_screened_for_its_recipients(desk: Desk) -> None:
    """A recipient that comes with a revision recuses whoever has an interest in it, at once."""
    await declared(desk, "purpose_reviewer", Organisation("Onward"))
    request, digest = await desk.submitted()
    await desk.opened(request, digest, Stage.PURPOSE_REVIEW)
    assert await desk.database.read(lambda s: interests.recused_from(s, request)) == frozenset()
    await desk.revised(request, 2, onward_recipients=["Onward Ltd"])
    recused = await desk.database.read(lambda s: interests.recused_from(s, request))
    assert recused == {desk.world.people["purpose_reviewer"]}


SHARES = st.sampled_from([None, 0.1, 0.3, 0.9])
KINDS = st.sampled_from([EdgeKind.OWNERSHIP, EdgeKind.FUND])
EDGES = st.lists(
    st.builds(Edge, st.integers(0, 6), st.integers(0, 6), KINDS, SHARES),
    max_size=8,
    unique_by=lambda edge: edge[:3],
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edges=EDGES)
async def test_the_recorded_graph_is_the_drawn_one(
    database: Database, edges: Sequence[Edge]
) -> None:
    """On random small graphs the search in the database finds what trying all paths in memory
    finds: the same organisations at the same distances."""
    names = [Entity(f"Company {n}", ref=f"test:{n}") for n in range(7)]

    def work(unit: Unit) -> dict[int, int]:
        told = [Hold(names[e.owner], names[e.owned], EdgeKind(e.kind), e.share) for e in edges]
        unit.session.connection().exec_driver_sql("DELETE FROM organisation_edge")
        done = gathering.gather(unit.session, names, told, "test")
        numbers = {done.numbers[one.identity]: n for n, one in enumerate(names)}
        start = [number for number, n in numbers.items() if n == 0]
        graph = RecordedGraph(unit.session, TODAY)
        near = around(graph, {"it": start}, Limits(hops=4))["it"]
        return {numbers[n]: trace.hops for n, trace in near.reached.items()}

    assert await database.write(work) == every_path(Drawn(list(edges)), 0, 4)


async def test_partners_from_before_are_in_the_graph(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A partner and its parent that were on record before there was a graph are in it after the
    migration, so that an owner of the parent is found."""
    from tests.records.test_migrations import down, up

    desk = await at_desk(database, tmp_path)
    await database.close()
    await down(database_url, "0006")
    await up(database_url)
    await database.start()
    await gathered(database, holds("Aurora Fund", PARENT, 0.2))
    await declared(desk, "engineer", Organisation("Aurora Fund"))
    (match,) = await found(desk)
    assert [leg.share for leg in match.legs] == [0.2, 0.8]
