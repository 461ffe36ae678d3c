"""The request of 2014, replayed: stopped at each gate in turn, then done properly.

A founder whose fund owns part of the company that asks wants it done, and holds every role there
is. No notice told anybody, hardly anybody was asked, and there is no basis in law. Each time one
thing is put right, the same request comes as far as the next gate.
"""

from dataclasses import dataclass, field
from typing import Any

from api.demo.cast import FOUNDER, PARTNER, Player
from api.demo.consents import PURPOSE, VERSION, said
from api.demo.story import GATES, Story, hold
from api.http_client import Json
from sharing.stages import GATE_ROLES, Role, Stage

ASKED_FIRST = 4  # how many of its users the company had asked before it was told to
TOO_LONG = 3650  # days

WHY: dict[Stage, str] = {
    Stage.PURPOSE_REVIEW: "Nobody who gave us a photo was ever told that it would train a machine "
    "to know faces. The answer is no until they are.",
    Stage.CONSENT_VERIFICATION: "Everybody else never said yes to this. Being our user is not a "
    "consent.",
    Stage.CONFLICT_SIGNOFF: "Who wants this owns part of who asks for it, through a fund. That is "
    "no reason to share anything.",
    Stage.LEGAL_APPROVAL: "Faces need a basis under Article 9, and none is named; and nobody keeps "
    "our users for ten years.",
}


@dataclass(slots=True)
class Story2014(Story):
    """The same story with the founder in it. `careless`: what the partner still gets wrong."""

    careless: dict[str, Any] = field(default_factory=dict)

    async def prepare(self) -> None:
        """What the company had in 2014: photos, an old notice, and a founder with a fund."""
        self.show.section("2014", "as it was")
        await self.notice("2011-06", "dpv:ServiceProvision")
        await self.hold_photos()
        await self.declare(self.founder, self.cast.people["Yuki Tanaka"])
        self.show.note(f"{FOUNDER} holds every role there is. {PARTNER} writes to him, and he is")
        self.show.note("named as the sponsor of its request.")
        self.careless = {
            "sponsor": self.founder.id,
            "special_category_basis": None,
            "retention_days": TOO_LONG,
        }

    @property
    def founder(self) -> Player:
        """Who wants it done."""
        return next(iter(self.cast.founder.values()))

    @property
    def interested(self) -> Player:
        """The founder, who tries once more."""
        return self.cast.founder[Role.CONFLICT_OFFICER]

    def body(self) -> Json:
        """What the partner asks for, with what it gets wrong."""
        return {**Story.body(self), **self.careless}

    async def stopped(self) -> None:
        """The request is refused at each gate in turn, each time for another reason."""
        await self._asks_and_fails(Stage.PURPOSE_REVIEW, "Request 1", "as it came in 2014")
        await self.notice(VERSION, "dpv:ServiceProvision", PURPOSE)
        few = [event for event in self.said.events if self._plain_yes(event)][:ASKED_FIRST]
        await self.cast.people["Mateus Oliveira"].api.post("/v1/consents", few)
        told = f"users are told, and {len(few)} of them are asked"
        await self._asks_and_fails(Stage.CONSENT_VERIFICATION, "Request 2", told)
        self.show.section("Everybody is asked")
        await self.collect_consent()
        await self._asks_and_fails(Stage.CONFLICT_SIGNOFF, "Request 3", "everybody was asked")
        self.careless["sponsor"] = None
        told = "nobody inside wants it for himself"
        await self._asks_and_fails(Stage.LEGAL_APPROVAL, "Request 4", told)
        self.careless.clear()

    def _plain_yes(self, event: Json) -> bool:
        return event == said(event["subject"], self.cast.partner.id)

    async def _asks_and_fails(self, at: Stage, title: str, aside: str) -> None:
        self.show.section(title, aside)
        self.request = await self.cast.partner.api.post("/v1/requests", self.body())
        for stage, _, name, reason in GATES:
            await self.reaches(stage.value)
            if stage is at:
                break
            await self.decided(self.cast.people[name], stage, "approved", reason)
        self.findings(at)
        who = self.cast.people[next(name for stage, _, name, _ in GATES if stage is at)]
        founder = self.cast.founder[GATE_ROLES[at]]
        await self.tries(
            founder, at, f"{FOUNDER} approving the {at.value.replace('_', ' ')} himself"
        )
        await self.decided(who, at, "refused", WHY[at])
        await self.reaches("refused")
        state = self.request["state"]
        hold(state == "refused", f"The request is {state}, not refused.")
