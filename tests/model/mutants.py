"""Each guard left out, in every layer that holds it: an invariant must break, and by which steps.

Only what the mutant needs may happen in its world, so that the search is short. Every trace is one
of the whole world too.
"""

from dataclasses import dataclass, replace

from tests.model.explore import Explored, explore
from tests.model.world import (
    CLEO_INTERESTED,
    CONSENT_GONE,
    EVE_INTERESTED,
    JOINED,
    ROLE_ENDED,
    STATEMENT_OUT,
    WORLDS,
)

CONFIRMING, TWO_COUNSELS, COUNSEL_AT_PURPOSE = 1, 2, 3


@dataclass(frozen=True)
class Mutant:
    """A guard in words, its names in each layer, and what must be able to happen for it to matter.

    `only`: the one invariant that is asked, for a guard that others stand in front of.
    """

    guard: str
    off: frozenset[str]
    facts: tuple[int, ...] = ()
    acts: frozenset[str] = frozenset()
    world: int = TWO_COUNSELS
    only: str | None = None

    def run(self, off: frozenset[str]) -> Explored:
        """Looks for the first violation with these names left out."""
        world = replace(WORLDS[self.world], facts=self.facts, acts=self.acts, revisions=2)
        return explore(world, off, only=self.only)


@dataclass(frozen=True)
class Caught:
    """What became of a mutant: the trace, and which layers hold the guard by themselves."""

    guard: str
    trace: tuple[str, ...]
    held_by: str


def _mutant(
    guard: str, off: str, *facts: int, acts: str = "", world: int = TWO_COUNSELS, only: str = ""
) -> Mutant:
    return Mutant(
        guard, frozenset(off.split()), facts, frozenset(acts.split()), world, only or None
    )


MUTANTS = (
    # Who decides
    _mutant("a decider holds the gate's role", "demand.role db.decision.role"),
    _mutant("partner staff never decide", "demand.partner_staff db.decision.partner"),
    _mutant("nor by another account", "staff.accounts db.staff.accounts"),
    _mutant("the sponsor never decides", "demand.sponsor db.decision.sponsor"),
    _mutant("nor by another account", "sponsor.accounts db.sponsor.accounts"),
    _mutant("the recused never decide", "demand.recused db.decision.recused", CLEO_INTERESTED),
    _mutant("no person decides twice", "demand.same_person db.decision.once"),
    _mutant("two linked accounts are one person", "demand.accounts db.accounts", JOINED),
    _mutant("no decision without a statement that holds", "decide.register db.decision.register",
            STATEMENT_OUT),
    # When and where
    _mutant("no decision after the deadline", "decide.late db.decision.until", acts="late"),
    _mutant("no decision at a gate that does not wait", "decide.stage db.decision.stage",
            acts="take_back"),
    _mutant("no decision at a gate that is closed",
            "decide.open decide.stage db.decision.stage db.decision.gate_open"),
    _mutant("an expired gate stays on record as expired", "lapse.gate", acts="late"),
    # Quorum
    _mutant("as many people as a gate needs", "quorum.needs db.clearance.needs db.release.needs"),
    _mutant("in each role that a gate needs", "quorum.needs db.clearance.needs db.release.needs",
            world=COUNSEL_AT_PURPOSE),
    _mutant("one refusal refuses", "quorum.refusal", acts="refuse"),
    _mutant("one return returns", "quorum.refusal", acts="return"),
    _mutant("a refusal blocks the release",
            "quorum.refusal demand.same_person db.decision.once db.against.decision",
            acts="refuse", only="i22"),
    # Clearance
    _mutant("a clearance needs people who still hold their roles", "db.clearance.roles",
            ROLE_ENDED),
    _mutant("a clearance needs distinct people, also when accounts are linked late",
            "seal.accounts db.clearance.twice", JOINED),
    _mutant("a clearance needs people without an interest",
            "undo.interest db.clearance.interested", CLEO_INTERESTED, only="i4"),
    _mutant("a clearance needs four approved gates",
            "undo.gates seal.gates db.clearance.four db.release.four", CLEO_INTERESTED, only="i1"),
    _mutant(
        "what partner staff decided is neither cleared nor released",
        "demand.partner_staff db.decision.partner db.clearance.interested db.release.interested",
        only="i3",
    ),
    # Taking back, and interests that become known
    _mutant("nobody takes back another's decision", "take_back.own db.void.own", acts="take_back"),
    _mutant("nothing is taken back once the next gate has decided", "take_back.later",
            acts="take_back"),
    _mutant("what is taken back takes the clearance along", "undo.clearance", acts="take_back"),
    _mutant("what is taken back opens its gate again", "undo.gates", acts="take_back"),
    _mutant("a late interest voids at once", "undo.interest", CLEO_INTERESTED),
    _mutant("a late interest takes the clearance along", "undo.clearance", CLEO_INTERESTED),
    _mutant("a late interest stops the run", "undo.run", CLEO_INTERESTED),
    _mutant("what an interest voided is not released",
            "undo.interest db.clearance.interested db.release.interested", CLEO_INTERESTED,
            only="i4"),
    # Waivers
    _mutant("two people waive", "waiver.two db.waiver.two", CLEO_INTERESTED, acts="waive"),
    _mutant("nobody waives an own interest", "db.agree.oneself db.agree.interested",
            CLEO_INTERESTED, acts="waive"),
    _mutant("who has an interest waives nobody's", "db.agree.interested", CLEO_INTERESTED,
            EVE_INTERESTED, acts="waive"),
    _mutant("nor did, once an interest becomes known", "waiver.interested db.waiver.interested",
            CLEO_INTERESTED, EVE_INTERESTED, acts="waive"),
    _mutant("only some roles waive", "db.agree.role", CLEO_INTERESTED, acts="waive"),
    # Revisions
    _mutant("a change of scope voids what was decided", "amend.voids", acts="amend"),
    _mutant("no change of scope under a running export", "amend.state", acts="amend"),
    _mutant("what is released is what was approved",
            "amend.state amend.voids digest.clearance run.digest db.release.digest", acts="amend",
            only="i6"),
    _mutant("a clearance is sealed from the approvals that count today",
            "undo.clearance undo.gates undo.run seal.again db.release.four", CLEO_INTERESTED,
            only="i7"),
    # The export
    _mutant("an engineer who decided earlier does not trigger",
            "demand.earlier db.engineer.decided", acts="take_back"),
    _mutant("an engineer who decided does not trigger", "demand.same_person db.engineer.decided"),
    _mutant("partner staff do not trigger", "demand.partner_staff db.engineer.partner"),
    _mutant("the sponsor does not trigger", "demand.sponsor db.engineer.sponsor"),
    _mutant("the recused do not trigger", "demand.recused db.engineer.recused", EVE_INTERESTED,
            world=CONFIRMING),
    _mutant("nor is released what somebody recused since has triggered", "db.engineer.recused",
            EVE_INTERESTED, world=CONFIRMING),
    _mutant("a second engineer is another person", "demand.confirm db.confirm.other",
            world=CONFIRMING),
    _mutant("nothing unconfirmed is released",
            "run.running db.release.running db.release.confirm", world=CONFIRMING),
    _mutant("a stopped run releases nothing", "run.running db.release.running", acts="cancel"),
    _mutant("a clearance runs out", "covers.late db.release.covers", acts="late"),
    _mutant("a release needs people who still hold their roles", "db.release.roles", ROLE_ENDED),
    _mutant("a release needs distinct people, also when accounts are linked late",
            "seal.distinct db.release.twice", JOINED),
    _mutant("consent is looked at when bytes leave", "release.consent", CONSENT_GONE),
)  # fmt: skip


def tried(mutant: Mutant) -> Caught:
    """Leaves a guard out everywhere; then, where two layers hold it, in one of them at a time."""
    trace = mutant.run(mutant.off).trace
    layers = {
        "the database": frozenset(name for name in mutant.off if not name.startswith("db.")),
        "the activities": frozenset(name for name in mutant.off if name.startswith("db.")),
    }
    if not all(layers.values()):
        return Caught(mutant.guard, trace, next(name for name, off in layers.items() if not off))
    alone = [name for name, off in layers.items() if not mutant.run(off).trace]
    return Caught(mutant.guard, trace, " or ".join(alone) if alone else "both together")
