"""Screening on record: which declared interests lead to a request's partner, or to anybody that it
hands the data on to."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from sharing.alike import LONGEST, alike
from sharing.conflict import Alike, Interest, Leg, Match, Organisation, Screening, plain
from sharing.ownership import Named
from sharing.records import rulings
from sharing.records.graph import RecordedGraph
from sharing.records.organisations import called, more_than_all, named, resolve
from sharing.records.rulings import NameRuling, Said
from sharing.screening import Around, Trace, Way, around
from sharing.ties import relation, steps

PARTNER = "the partner"
OWNERS_TOLD = 20
FEW = 100  # interests: more of them are looked through here, not asked for one by one
_OWNED_WAYS = (Way.TARGET, Way.OWNER, Way.HOLDER)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request is about: its partner, or an onward recipient."""

    organisation: Organisation
    called: str = PARTNER


class Stake(NamedTuple):
    """What of an interest is compared, of each that counts: of most no more is read."""

    interest_id: str
    name: str
    lei: str | None


@dataclass(frozen=True, slots=True)
class Stakes:
    """The stakes that count, and how the interests behind some of them are read."""

    every: Sequence[Stake]
    read: Callable[[Collection[str]], Mapping[str, Interest]]


@dataclass(slots=True)
class Linked:
    """An interest that is in nodes of the graph; each is True if only a person says so."""

    interest: Interest
    nodes: dict[int, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Search:
    """What is around some targets, and who has a tie there."""

    session: Session
    targets: Sequence[Target]
    held: Stakes
    links: Sequence[Linked]
    found: Mapping[str, Around]
    names: dict[int, Named]


def targets_of(partner: Organisation, recipients: Sequence[str]) -> list[Target]:
    """Whom a request is about. A recipient named twice is one."""
    onward = [Target(Organisation(name), _recipient(name)) for name in dict.fromkeys(recipients)]
    return [Target(partner), *onward]


def matches(
    session: Session, held: Stakes, asked: Mapping[str, Sequence[Target]], day: date
) -> dict[str, list[Match]]:
    """The matches of each of several questions, each a list of targets; answered together."""
    if not held.every or not asked:
        return {question: [] for question in asked}
    search = _search(session, held, [t for all_of in asked.values() for t in all_of], day)
    by_target = {_key(t): _matches(search, t) for t in search.targets}
    return {
        question: [
            replace(match, relation=match.relation.replace(PARTNER, t.called), target=t.called)
            for t in targets
            for match in by_target[_key(t)]
        ]
        for question, targets in asked.items()
    }


def screening(session: Session, held: Stakes, targets: Sequence[Target], day: date) -> Screening:
    """Everything that a conflict officer has to know of one request."""
    search = _search(session, held, targets, day)
    found = [
        replace(match, relation=match.relation.replace(PARTNER, t.called), target=t.called)
        for t in targets
        for match in _matches(search, t)
    ]
    own = search.found[_key(targets[0])]
    owned = [n for n, t in own.reached.items() if t.way in _OWNED_WAYS]
    too_large = {n for one in search.found.values() for n in one.too_large}
    direct = [n for n, t in own.reached.items() if t.hops == 1 and t.way in _OWNED_WAYS]
    _learn(search, {*direct[:OWNERS_TOLD], *too_large})
    return Screening(
        found,
        _alike(search, found),
        _names(search, direct[:OWNERS_TOLD]),
        _names(search, too_large),
        any(one.cut for one in search.found.values()),
        more_than_all(session, owned),
    )


def _search(session: Session, held: Stakes, targets: Sequence[Target], day: date) -> Search:
    once = list({_key(t): t for t in targets}.values())
    numbers = resolve(session, [t.organisation for t in once])
    starts = {
        _key(t): found or {-1 - i} for i, (t, found) in enumerate(zip(once, numbers, strict=True))
    }
    unknown = {n: t.organisation for t in once for n in starts[_key(t)] if n < 0}
    names = {n: Named(n, one.name, one.lei) for n, one in unknown.items()}
    found = around(RecordedGraph(session, day), starts)
    reached = {n for one in found.values() for n in one.reached if n > 0}
    return Search(session, once, held, _links(session, held, reached, names), found, names)


def _links(
    session: Session, held: Stakes, reached: Collection[int], unknown: Mapping[int, Named]
) -> list[Linked]:
    """Which interests are in which of the nodes that were reached. One looks from the side on which
    there is less: few interests are looked for in the graph, few nodes among the interests."""
    few = len(held.every) < FEW
    by_name = [(one.number, one.lei, plain(one.name)) for one in unknown.values()]
    pairs: list[tuple[str, int]] = []
    if few:
        nodes = resolve(session, [Organisation(one.name, one.lei) for one in held.every])
        pairs = [
            (one.interest_id, n)
            for one, numbers in zip(held.every, nodes, strict=True)
            for n in numbers
        ]
    else:
        by_name += called(session, reached)
    said: dict[tuple[str, int], bool] = dict.fromkeys(_confirmed(session, held, few=few), True)
    said |= dict.fromkeys((*pairs, *_among(held.every, by_name)), False)
    near = {pair: yes for pair, yes in said.items() if pair[1] in reached or pair[1] in unknown}
    interests = held.read({name for name, _ in near})
    links = {name: Linked(interests[name]) for name in sorted(interests)}
    for (name, number), yes in near.items():
        links[name].nodes[number] = yes
    return list(links.values())


def _confirmed(session: Session, held: Stakes, *, few: bool) -> list[tuple[str, int]]:
    ids = {one.interest_id for one in held.every}
    ruled = rulings.standing(session, ids if few else None)
    return [pair for pair, row in ruled.items() if row.ruling == Said.CONFIRMED and pair[0] in ids]


def _among(
    held: Sequence[Stake], nodes: Sequence[tuple[int, str | None, str]]
) -> Iterator[tuple[str, int]]:
    """The interests in each node; a node is given once for each name that it has."""
    by_lei = {lei: number for number, lei, _ in nodes if lei}
    by_key: dict[str, list[tuple[int, str | None]]] = {}
    for number, lei, key in nodes:
        by_key.setdefault(key, []).append((number, lei))
    for interest_id, name, own_lei in held:
        if own_lei and own_lei.upper() in by_lei:
            yield interest_id, by_lei[own_lei.upper()]
        for number, lei in by_key.get(plain(name), ()):
            if not (lei and own_lei):
                yield interest_id, number


def _matches(search: Search, target: Target) -> list[Match]:
    """The shortest path of each interest to one target."""
    reached, nearest = search.found[_key(target)].reached, []
    for linked in search.links:
        traces = [reached[n] for n in linked.nodes if n in reached]
        if traces:
            nearest.append((linked, min(traces, key=lambda t: (t.hops, t.number))))
    _learn(search, {n for _, trace in nearest for n in _numbers(trace)})
    return [_match(search, linked, trace) for linked, trace in nearest]


def _match(search: Search, linked: Linked, trace: Trace) -> Match:
    node = search.names[trace.number]
    return Match(
        linked.interest,
        Organisation(node.name, node.lei),
        relation(trace.way, trace.hops, PARTNER),
        tuple(_legs(search, trace)),
        confirmed=linked.nodes[trace.number],
    )


def _legs(search: Search, trace: Trace) -> list[Leg]:
    names, legs = search.names, []
    for edge, owns in steps(trace):
        ends = (names[edge.owner], names[edge.owned])
        first, second = ends if owns else ends[::-1]
        legs.append(Leg(first, second, owns, edge.kind, edge.share))
    return legs


def _alike(search: Search, found: Sequence[Match]) -> list[Alike]:
    """Pairs of an interest that leads nowhere and an organisation near by with almost its name."""
    matched = {match.interest.id for match in found}
    free = [one for one in search.held.every if one.interest_id not in matched]
    near = _nearest(search)
    if not free or not near:
        return []
    _learn(search, {n for n, _ in near})
    nodes = [search.names[n] for n, _ in near]
    pairs = [
        (free[ours].interest_id, nodes[theirs], score)
        for ours, theirs, score in alike([one.name for one in free], [one.name for one in nodes])
        if not (free[ours].lei and nodes[theirs].lei)  # two identifiers: two organisations
    ]
    told = {n: relation(trace.way, trace.hops, t.called) for n, (trace, t) in near}
    interests = search.held.read({name for name, _, _ in pairs})
    ruled = rulings.standing(search.session, interests)
    return [
        Alike(
            interests[name], node, told[node.number], score, *_said(ruled.get((name, node.number)))
        )
        for name, node, score in pairs
    ]


def _said(row: NameRuling | None) -> tuple[str | None, str | None]:
    return (row.ruling, row.reason) if row else (None, None)


def _nearest(search: Search) -> list[tuple[int, tuple[Trace, Target]]]:
    """The organisations near any target, nearest first; not more than can be compared."""
    near: dict[int, tuple[Trace, Target]] = {}
    for target in search.targets:
        for number, trace in search.found[_key(target)].reached.items():
            if number > 0 and (number not in near or trace.hops < near[number][0].hops):
                near[number] = (trace, target)
    return sorted(near.items(), key=lambda one: (one[1][0].hops, one[0]))[:LONGEST]


def _numbers(trace: Trace) -> set[int]:
    ends = {n for edge, _ in steps(trace) for n in (edge.owner, edge.owned)}
    return ends | {trace.number}


def _learn(search: Search, numbers: Collection[int]) -> None:
    unknown = {n for n in numbers if n not in search.names}
    search.names |= named(search.session, unknown)


def _names(search: Search, numbers: Collection[int]) -> list[str]:
    return sorted({search.names[n].name for n in numbers})


def _key(target: Target) -> str:
    """Targets of several requests that are one organisation are searched once."""
    return f"{target.organisation.lei or ''} {target.organisation.name}"


def _recipient(name: str) -> str:
    return f"the onward recipient {name}"
