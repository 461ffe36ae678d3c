"""Who may act on a request. One pure function, asked on every path: API, command line, worker."""

from dataclasses import dataclass
from enum import StrEnum

from sharing.errors import NotEligible
from sharing.stages import GATE_ROLES, Role, Stage


class Act(StrEnum):
    """What a person may do to a request."""

    DECIDE = "decide"
    TRIGGER = "trigger"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    STEER = "steer"  # pause, resume, limit
    CLAIM = "claim"
    ASSIGN = "assign"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with the roles held at this moment; `partner_id` if they work for a partner.
    `stands_for`: which of the roles are somebody else's, and whose; `staff`: who of these works for
    a partner. `lapsed`: their yearly statement in the register of interests has run out."""

    id: str
    roles: frozenset[Role]
    partner_id: str | None = None
    stands_for: frozenset[tuple[Role, str]] = frozenset()
    lapsed: bool = False
    staff: frozenset[str] = frozenset()

    def people(self, roles: frozenset[Role]) -> frozenset[str]:
        """Everybody who acts where this person acts in one of these roles."""
        return frozenset({self.id, *(who for role, who in self.stands_for if role in roles)})


@dataclass(frozen=True, slots=True)
class Case:
    """What eligibility needs to know of a request: all people by id."""

    partner_id: str
    sponsor: str | None
    recused: frozenset[str]
    deciders: frozenset[str]
    triggered_by: str | None = None
    earlier_deciders: frozenset[str] = frozenset()  # on revisions, or by acts, that are void by now
    sponsors: frozenset[str] = frozenset()  # every account of the sponsor
    triggerers: frozenset[str] = frozenset()  # every account of who triggered


_ROLES: dict[Act, frozenset[Role]] = {
    Act.TRIGGER: frozenset({Role.ENGINEER}),
    Act.CONFIRM: frozenset({Role.ENGINEER}),
    Act.STEER: frozenset({Role.ENGINEER}),
    Act.CANCEL: frozenset({Role.ENGINEER, Role.CONFLICT_OFFICER, Role.LEGAL_COUNSEL}),
}


# Who may agree that somebody acts in spite of an interest, and look at one found too late.
WAIVE_ROLES = frozenset({Role.CONFLICT_OFFICER, Role.LEGAL_COUNSEL, Role.AUDITOR})


def roles_for(act: Act, stage: Stage | None = None) -> frozenset[Role]:
    """The roles of which one is needed; deciding needs the gate's own role."""
    own = frozenset({GATE_ROLES[stage]}) if stage in GATE_ROLES else frozenset[Role]()
    if act in (Act.DECIDE, Act.CLAIM):
        return own
    return own | {Role.ADMIN} if act is Act.ASSIGN else _ROLES[act]


def demand(
    act: Act, actor: Actor, case: Case, stage: Stage | None = None, role: Role | None = None
) -> None:
    """Raises NotEligible with the first reason that stands in the way; returns if none does.
    `role`: where a policy asks a gate for it, beside the gate's own."""
    needed = frozenset({role}) if role else roles_for(act, stage)
    if not needed & actor.roles:
        names = " or ".join(sorted(needed)) or "a gate's role"
        raise NotEligible("role", f"This needs the role {names}.")
    if act is Act.CANCEL:
        return  # stopping an export is never the wrong hands: it only withholds
    demand_disinterested(actor, case, needed)
    if act is Act.ASSIGN:
        return  # who decided elsewhere may say who looks at this
    deciding = act in (Act.DECIDE, Act.CLAIM)
    acted = case.deciders if deciding else case.deciders | case.earlier_deciders
    triggered = {case.triggered_by, *case.triggerers}
    people = actor.people(needed)
    if people & acted or (act is Act.CONFIRM and people & triggered):
        raise NotEligible("same_person", "No person acts twice on one request: ask another.")
    if act is Act.DECIDE and actor.lapsed:
        raise NotEligible(
            "declaration",
            "Your yearly statement in the register of interests has run out: renew it at "
            "`POST /v1/declarations`.",
        )


def demand_disinterested(
    actor: Actor, case: Case, roles: frozenset[Role] = frozenset(Role)
) -> None:
    """Raises NotEligible for who must have no hand in a request at all: people of a partner, its
    sponsor, whoever is recused; and whoever acts for one of these in one of the roles."""
    people = actor.people(roles)
    if actor.partner_id is not None or people & actor.staff:
        raise NotEligible("partner_staff", "People of a partner never decide on a request.")
    if people & {case.sponsor, *case.sponsors}:
        raise NotEligible("sponsor", "The sponsor of a request never decides on it.")
    if people & case.recused:
        raise NotEligible(
            "recused",
            "A declared interest in the partner recuses this person, or who they act for.",
        )


def demand_may_waive(
    actor: Actor, case: Case, whom: frozenset[str], agreed: frozenset[str]
) -> None:
    """Raises NotEligible unless this person may agree that an interest of `whom` is passed over.
    `whom` is a person with every account, `agreed` everybody who did so already."""
    if not WAIVE_ROLES & actor.roles:
        names = " or ".join(sorted(WAIVE_ROLES))
        raise NotEligible("role", f"This needs the role {names}.")
    demand_disinterested(actor, case)
    if actor.id in whom:
        raise NotEligible("recused", "Nobody waives an interest of their own.")
    if actor.id in agreed:
        raise NotEligible("same_person", "You agreed to it already: it takes somebody else.")


def demand_own(actor: Actor, decided_by: frozenset[str]) -> None:
    """Raises NotEligible unless a decision is this person's, by whichever account."""
    if actor.id not in decided_by:
        raise NotEligible("not_yours", "Only who took a decision takes it back.")
