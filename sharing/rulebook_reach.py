"""Whether the people on record can do what a policy asks of them. Pure.

No person acts twice on one request, so it is not enough that each role has people: all gates of one
request, and its export, need different ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from sharing.policy_lines import Lines, Path, shown
from sharing.policy_reader import Problem
from sharing.quorum import Need
from sharing.rulebook import Asked, Facts, Policy, Risk, Rule, among, together
from sharing.stages import Role
from sharing.vocabulary import CATEGORIES, PURPOSES, Term

Holders = Mapping[
    Role, frozenset[str]
]  # by role, each person once, however many accounts they have


def unreachable(text: str, policy: Policy, holders: Holders, clearance: timedelta) -> list[Problem]:
    """What a policy asks that can't be had now, by line and key. `clearance`: how long one allows
    an export."""
    lines, problems = Lines(text), []
    for rules, special in combinations(policy.rules):
        for path, message in _lacking(policy.rules, rules, special, holders, clearance):
            problem = Problem(lines.of(path), shown(path), message)
            if problem not in problems:
                problems.append(problem)
    return problems


def combinations(rules: Sequence[Rule]) -> Iterator[tuple[tuple[Rule, ...], bool]]:
    """Every set of rules that can match one request, with whether it is a special category; made by
    trying one request of each kind that the rules tell apart."""
    seen: set[tuple[tuple[int, ...], bool]] = set()
    sizes = sorted({0, *(rule.when.objects_from for rule in rules)})
    purposes = _kinds(PURPOSES, [rule.when.purposes for rule in rules])
    categories = _kinds(CATEGORIES, [rule.when.categories for rule in rules])
    for purpose in purposes:
        for category in categories:
            for size in sizes:
                for risk in Risk:
                    for special in (False, True):
                        facts = Facts(purpose, category, special, size, risk)
                        found = tuple(i for i, r in enumerate(rules) if r.when.matches(facts))
                        if (found, special) not in seen:
                            seen.add((found, special))
                            yield tuple(rules[i] for i in found), special


def _kinds(known: Mapping[str, Term], said: Sequence[frozenset[str]]) -> list[str]:
    """One term of each kind that the rules tell apart, and one that none of them names."""
    kinds: dict[tuple[bool, ...], str] = {}
    for term in ("", *known, *(term for one in said for term in one)):
        kinds.setdefault(tuple(among(known, one, term) for one in said), term)
    return list(kinds.values())


def _lacking(
    every: Sequence[Rule],
    rules: Sequence[Rule],
    special: bool,
    holders: Holders,
    clearance: timedelta,
) -> Iterator[tuple[Path, str]]:
    """What is wrong with what one kind of request would need, and which key asks for it."""
    whole, always = (together(some, special_category=special) for some in (rules, ()))
    short = False
    for stage, gate in whole.gates.items():
        for need in {*gate.needs, *gate.among} - set(always.gates[stage].needs):
            there = len(holders.get(need.role, ()))
            if need.approvals > there:
                short = True
                path = _asks(every, rules, stage, need)
                yield path, f"asks for {_people(need)}, and {there} hold that role. {_cure(need)}"
    for rule in (r for r in rules if r.export.cooling_off >= clearance):
        path = ("rule", every.index(rule), "export", "cooling_off_hours")
        yield (
            path,
            (
                f"is as long as a clearance holds ({clearance.total_seconds() / 3600:g} hours): no "
                "export could be triggered. Write fewer hours."
            ),
        )
    if not short and _unseated(whole, holders) > _unseated(always, holders):
        path = ("rule", every.index(rules[-1])) if rules else ()
        yield (
            path,
            (
                "needs more people than there are: nobody acts twice on one request, whatever "
                "roles they hold. Ask for fewer, or put more people on record."
            ),
        )


def _asks(every: Sequence[Rule], rules: Sequence[Rule], stage: str, need: Need) -> Path:
    for rule in rules:
        gate = next((g for s, g in rule.gates.items() if s == stage), None)
        if gate is not None and need in (*gate.needs, *gate.among):
            return ("rule", every.index(rule), stage, "approvals", str(need.role))
    return ()


def _people(need: Need) -> str:
    return f"{need.approvals} {'person' if need.approvals == 1 else 'people'} as {need.role}"


def _cure(need: Need) -> str:
    return f"Ask for fewer, or put more people on record as {need.role} first."


def _unseated(whole: Asked, holders: Holders) -> int:
    """How many places cannot be taken by a person of their own."""
    places = [
        role
        for gate in whole.gates.values()
        for need in gate.needs
        for role in [need.role] * need.approvals
    ]
    places += [Role.ENGINEER] * whole.export.engineers
    taken: dict[str, int] = {}

    def seated(place: int, asked: set[str]) -> bool:
        for person in sorted(holders.get(places[place], frozenset()) - asked):
            asked.add(person)
            if person not in taken or seated(taken[person], asked):
                taken[person] = place
                return True
        return False

    return sum(not seated(place, set()) for place in range(len(places)))
