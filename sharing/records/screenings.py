"""Screening on record: which declared interests lead to a request's partner, or to anybody that it
hands the data on to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import Session

from sharing.alike import LONGEST, alike
from sharing.conflict import Alike, Interest, Leg, Match, Organisation, Screening, same
from sharing.ownership import Named
from sharing.records import rulings
from sharing.records.gathering import more_than_all
from sharing.records.graph import RecordedGraph
from sharing.records.organisations import named, resolve
from sharing.records.rulings import Said
from sharing.screening import Around, Trace, Way, around
from sharing.ties import relation, steps

PARTNER = "the partner"
OWNERS_TOLD = 20
_OWNED_WAYS = (Way.TARGET, Way.OWNER, Way.HOLDER)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request is about: its partner, or an onward recipient."""

    organisation: Organisation
    called: str = PARTNER


@dataclass(frozen=True, slots=True)
class Held:
    """An interest, and the nodes of the graph that its organisation is: by name or LEI, or because
    a conflict officer confirmed it."""

    interest: Interest
    numbers: frozenset[int]
    confirmed: frozenset[int]


@dataclass(slots=True)
class Search:
    """What is around some targets, and who has a tie there."""

    session: Session
    targets: Sequence[Target]
    held: Sequence[Held]
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
    unknown = {n: t for t in once for n in starts[_key(t)] if n < 0}
    names = {n: Named(n, t.organisation.name, t.organisation.lei) for n, t in unknown.items()}
    found = around(RecordedGraph(session, day), starts)
    return Search(session, once, _held(session, held, unknown), found, names)


def _held(session: Session, held: Sequence[Interest], unknown: Mapping[int, Target]) -> list[Held]:
    ruled = rulings.standing(session, [one.id for one in held])
    confirmed: dict[str, set[int]] = {}
    for (interest_id, number), row in ruled.items():
        if row.ruling == Said.CONFIRMED:
            confirmed.setdefault(interest_id, set()).add(number)
    nodes = resolve(session, [one.organisation for one in held])
    return [
        Held(
            one,
            frozenset(
                numbers | {n for n, t in unknown.items() if same(one.organisation, t.organisation)}
            ),
            frozenset(confirmed.get(one.id, ())),
        )
        for one, numbers in zip(held, nodes, strict=True)
    ]


def _matches(search: Search, target: Target) -> list[Match]:
    """The shortest path of each interest to one target."""
    reached, nearest = search.found[_key(target)].reached, []
    for held in search.held:
        traces = [reached[n] for n in held.numbers | held.confirmed if n in reached]
        if traces:
            nearest.append((held, min(traces, key=lambda t: (t.hops, t.number))))
    _learn(search, {n for _, trace in nearest for n in _numbers(trace)})
    return [_match(search, held, trace) for held, trace in nearest]


def _match(search: Search, held: Held, trace: Trace) -> Match:
    node = search.names[trace.number]
    return Match(
        held.interest,
        Organisation(node.name, node.lei),
        relation(trace.way, trace.hops, PARTNER),
        tuple(_legs(search, trace)),
        confirmed=trace.number not in held.numbers,
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
    free = [held.interest for held in search.held if held.interest.id not in matched]
    near = _nearest(search)
    if not free or not near:
        return []
    _learn(search, {n for n, _ in near})
    nodes = [search.names[n] for n, _ in near]
    told = {n: relation(trace.way, trace.hops, t.called) for n, (trace, t) in near}
    ruled = rulings.standing(search.session, [one.id for one in free])
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
