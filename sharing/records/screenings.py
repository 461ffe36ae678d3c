"""Screening on record: which declared interests lead to a request's partner, or to anybody that it
hands the data on to."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlmodel import Session

from sharing.alike import LONGEST, alike
from sharing.conflict import Alike, Interest, Leg, Match, Organisation, Screening, plain
from sharing.ownership import Named
from sharing.records import rulings
from sharing.records.graph import RecordedGraph
from sharing.records.organisations import called, more_than_all, named, resolve
from sharing.records.rulings import Said
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
    held: Sequence[Interest]
    links: Sequence[Linked]
    found: Mapping[str, Around]
    names: dict[int, Named]


def targets_of(partner: Organisation, recipients: Sequence[str]) -> list[Target]:
    """Whom a request is about. A recipient named twice is one."""
    onward = [Target(Organisation(name), _recipient(name)) for name in dict.fromkeys(recipients)]
    return [Target(partner), *onward]


def matches(
    session: Session, held: Sequence[Interest], asked: Mapping[str, Sequence[Target]], day: date
) -> dict[str, list[Match]]:
    """The matches of each of several questions, each a list of targets; answered together."""
    counting = [interest for interest in held if interest.counts_on(day)]
    if not counting or not asked:
        return {question: [] for question in asked}
    search = _search(session, counting, [t for all_of in asked.values() for t in all_of], day)
    by_target = {_key(t): _matches(search, t) for t in search.targets}
    return {
        question: [
            replace(match, relation=match.relation.replace(PARTNER, t.called), target=t.called)
            for t in targets
            for match in by_target[_key(t)]
        ]
        for question, targets in asked.items()
    }


def screening(
    session: Session, held: Sequence[Interest], targets: Sequence[Target], day: date
) -> Screening:
    """Everything that a conflict officer has to know of one request."""
    counting = [interest for interest in held if interest.counts_on(day)]
    search = _search(session, counting, targets, day)
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


def _search(
    session: Session, held: Sequence[Interest], targets: Sequence[Target], day: date
) -> Search:
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
    session: Session,
    held: Sequence[Interest],
    reached: Collection[int],
    unknown: Mapping[int, Named],
) -> list[Linked]:
    """Which interests are in which of the nodes that were reached. One looks from the side on which
    there is less: few interests are looked for in the graph, few nodes among the interests."""
    by_name = [(one.number, one.lei, plain(one.name)) for one in unknown.values()]
    pairs: Iterable[tuple[Interest, int]]
    if len(held) < FEW:
        nodes = resolve(session, [one.organisation for one in held])
        pairs = [(one, n) for one, numbers in zip(held, nodes, strict=True) for n in numbers]
    else:
        by_name += called(session, reached)
        pairs = ()
    links: dict[str, Linked] = {}
    for interest, number, said in (
        *((one, n, True) for one, n in _confirmed(session, held)),
        *((one, n, False) for one, n in (*pairs, *_among(held, by_name))),
    ):
        links.setdefault(interest.id, Linked(interest)).nodes[number] = said
    return [links[name] for name in sorted(links)]


def _confirmed(session: Session, held: Sequence[Interest]) -> list[tuple[Interest, int]]:
    ruled = rulings.standing(session, [one.id for one in held] if len(held) < FEW else None)
    said = {pair for pair, row in ruled.items() if row.ruling == Said.CONFIRMED}
    by_id = {one.id: one for one in held} if said else {}
    return [(by_id[name], number) for name, number in sorted(said) if name in by_id]


def _among(
    held: Sequence[Interest], nodes: Iterable[tuple[int, str | None, str]]
) -> Iterator[tuple[Interest, int]]:
    """The interests in each node, which is given once for each name that it has."""
    by_lei: dict[str, list[Interest]] = {}
    by_key: dict[str, list[Interest]] = {}
    for one in held:
        by_key.setdefault(plain(one.organisation.name), []).append(one)
        if one.organisation.lei:
            by_lei.setdefault(one.organisation.lei.upper(), []).append(one)
    for number, lei, key in nodes:
        for one in by_lei.get(lei, ()) if lei else ():
            yield one, number
        for one in by_key.get(key, ()):
            if not (lei and one.organisation.lei):
                yield one, number


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
    free = [one for one in search.held if one.id not in matched]
    near = _nearest(search)
    if not free or not near:
        return []
    _learn(search, {n for n, _ in near})
    nodes = [search.names[n] for n, _ in near]
    told = {n: relation(trace.way, trace.hops, t.called) for n, (trace, t) in near}
    ruled = rulings.standing(search.session, None)
    names = [one.organisation.name for one in free]
    pairs = []
    for ours, theirs, score in alike(names, [node.name for node in nodes]):
        interest, node = free[ours], nodes[theirs]
        if interest.organisation.lei and node.lei:
            continue  # two identifiers: two organisations, however they are named
        row = ruled.get((interest.id, node.number))
        said = (row.ruling, row.reason) if row else (None, None)
        pairs.append(Alike(interest, node, told[node.number], score, *said))
    return pairs


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
