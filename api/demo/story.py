"""The story: a partner asks for everybody's photos, and four gates stand in between.

Everything here goes over HTTP, as anybody outside would do it; only the delivered folder is read
from the disk, as its recipient would.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from api.commands.dataset import scanned
from api.demo.cast import PARENT, Cast, Player
from api.demo.consents import CATEGORY, NOTICE, OLD_VERSION, PURPOSE, VERSION, Ledger, ledger
from api.demo.photos import Album
from api.demo.show import Show
from api.http_client import ApiProblem, Json
from api.told import Told
from sharing.stages import GATE_ROLES, Stage

DATASET = "profile-photos"
PATIENCE = 60.0  # seconds for anything that the system does by itself

GATES: tuple[tuple[Stage, str, str, str], ...] = (
    (
        Stage.PURPOSE_REVIEW,
        "Is this purpose one that people were told about?",
        "Amara Okafor",
        "The notice of 2014-03 names model training, and the use is stated in words to publish.",
    ),
    (
        Stage.CONSENT_VERIFICATION,
        "Who said yes to exactly this, and does it still hold?",
        "Mateus Oliveira",
        "Only people with an active, explicit yes are counted in; everybody else stays out.",
    ),
    (
        Stage.CONFLICT_SIGNOFF,
        "Does anybody here gain from it?",
        "Yuki Tanaka",
        "I hold nothing in the partner or its parent; the colleague who does has stepped aside.",
    ),
    (
        Stage.LEGAL_APPROVAL,
        "Is it lawful, and for how long?",
        "Leila Haddad",
        "Explicit consent carries it; erasure within a year is a duty in the agreement.",
    ),
)


class DemoFailed(Told):
    """Something that should have held did not."""


@dataclass(slots=True)
class Story:
    """What happens, act by act; `refused` collects the codes of what was rightly refused."""

    show: Show
    cast: Cast
    album: Album
    expected: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    request: Json = field(default_factory=dict)
    export: Json = field(default_factory=dict)

    async def prepare(self) -> None:
        """Notices, the dataset and its index, the consent ledger, and one declared interest."""
        self.show.section("Before anybody asks")
        await self.notice(OLD_VERSION, "dpv:ServiceProvision")
        await self.notice(VERSION, "dpv:ServiceProvision", PURPOSE)
        await self.hold_photos()
        await self.collect_consent()
        tied = self.cast.people["Ingrid Solheim"]
        await self.declare(tied, tied)

    async def notice(self, version: str, *purposes: str) -> None:
        """A version of what users are told."""
        text = f"What we do with your profile photos, as of {version}."
        notice = {"name": NOTICE, "version": version, "text": text, "categories": [CATEGORY]}
        await self.cast.admin.post("/v1/notices", {**notice, "purposes": list(purposes)})

    async def hold_photos(self) -> None:
        """The dataset and its index."""
        dataset = {
            "name": DATASET,
            "location": str(self.album.folder),
            "category": CATEGORY,
            "special_category": True,
            "subject_from": self.album.subject_from,
        }
        await self.cast.admin.post("/v1/datasets", dataset)
        with self.show.doing("Indexing the photos"):
            await scanned(self.cast.admin, DATASET)
        photos, subjects = len(self.album.photos), len(self.album.subjects)
        self.show.done(f"{photos:,} photos of {subjects:,} people are held")
        located = self.album.located
        self.show.note(f"{located:,} of them tell where they were taken, to within a few metres.")

    async def collect_consent(self) -> None:
        """What people said, in the ledger."""
        said = self.said
        self.expected = dict(said.excluded)
        steward = self.cast.people["Mateus Oliveira"].api
        for i in range(0, len(said.events), 5000):
            answer = await steward.post("/v1/consents", said.events[i : i + 5000])
            hold(not answer["refused"], f"Consent events were refused: {answer['refused'][:3]}")
        self.show.done(
            f"{len(said.events):,} entries in the consent ledger say who agreed to what, and when"
        )

    @property
    def said(self) -> Ledger:
        """What people say once they are asked."""
        return ledger(self.album, self.cast.partner.id, self.cast.earlier)

    async def declare(self, tied: Player, by: Player) -> None:
        """A fund that leads to the partner's parent, declared by oneself or by an officer."""
        interest = {"person": tied.id, "organisation": {"name": PARENT}, "kind": "fund"}
        detail = "A fund of mine holds shares in it."
        await by.api.post("/v1/interests", {**interest, "from": "2012-01-09", "detail": detail})
        who = "declared" if tied is by else f"is on the register (put there by {by.name}) with"
        self.show.done(f"{tied.name}, {tied.title}, {who} a fund that holds shares in {PARENT}")

    async def ask(self) -> None:
        """The partner submits; an engineer tries to export at once and is refused."""
        show, partner = self.show, self.cast.partner
        show.section(f"{partner.name} asks")
        self.request = await partner.api.post("/v1/requests", self.body())
        show.done(f"“{self.body()['title']}”: {len(self.album.photos):,} photos to train a model")
        show.note(f"{partner.name} is owned by {PARENT}. Its request is {self._id}.")
        await self.reaches("purpose_review")
        engineer = self.cast.people["Priya Raman"]
        early = engineer.api.post(f"/v1/requests/{self._id}/exports", {"digest": self._digest})
        await self._refused(
            f"{engineer.name}, {engineer.title}, tries to export at once",
            "An export triggered before the gates had decided",
            "not_cleared",
            early,
        )

    async def decide(self) -> None:
        """The four gates, each by somebody else; one who has an interest tries and is refused."""
        for number, (stage, question, name, reason) in enumerate(GATES, 1):
            who, words = self.cast.people[name], stage.value.replace("_", " ")
            self.show.section(f"Gate {number}: {words}", question)
            await self.reaches(stage.value)
            self.findings(stage)
            if stage is Stage.CONFLICT_SIGNOFF:
                await self._interested(self.interested)
            hold(who.role is GATE_ROLES[stage], f"{name} is not the one for {words}.")
            await self.decided(who, stage, "approved", reason)
        await self.reaches("cleared")
        await self._agreed()

    async def _agreed(self) -> None:
        """The partner's own yes stands beside the four approvals."""
        agreement = await self.cast.partner.api.get(f"/v1/requests/{self._id}/agreement")
        hold(agreement["accepted"], "The partner has not accepted the agreement.")
        terms = sum(len(agreement[kind]) for kind in ("permissions", "prohibitions", "duties"))
        version = agreement["template"]["version"]
        self.show.done(
            f"{self.cast.partner.name} accepted the agreement with its request: {terms} terms of "
            f"the template {version}, digest {agreement['digest'][:12]}"
        )

    @property
    def interested(self) -> Player:
        """Who has an interest in the partner and tries to decide all the same."""
        return self.cast.people["Ingrid Solheim"]

    async def decided(self, who: Player, stage: Stage, outcome: str, reason: str) -> None:
        """A person decides, and says why."""
        body = self._decision(stage, reason, outcome)
        await who.api.post(f"/v1/requests/{self._id}/decisions", body)
        self.show.decision(who.name, who.title, outcome, reason)

    def findings(self, stage: Stage) -> None:
        """What the machine found before people decide."""
        for entry in self.request["stages"]:
            if entry["stage"] == stage:
                for finding in entry["findings"]:
                    self.show.finding(finding["result"], self._named(finding["detail"]))

    async def _interested(self, who: Player) -> None:
        await self.tries(
            who, Stage.CONFLICT_SIGNOFF, "A decision by a person with an interest in the partner"
        )

    async def tries(self, who: Player, stage: Stage, what: str) -> None:
        """Somebody who must not decide tries to approve."""
        body = self._decision(stage, "Looks fine to me.")
        await self._refused(
            f"{who.name} tries to approve it all the same",
            what,
            "not_eligible",
            who.api.post(f"/v1/requests/{self._id}/decisions", body),
        )

    async def _refused(self, text: str, what: str, code: str, act: Awaitable[Any]) -> None:
        try:
            await act
        except ApiProblem as problem:
            hold(problem.code == code, f"{what} was refused as {problem}, not as {code}.")
            self.show.refused(text, code, problem.detail)
            self.refused.append((code, what))
            return
        raise DemoFailed(f"{what} was not refused.")

    async def reaches(self, state: str) -> None:
        """Waits until the request is in that state, its findings gathered."""
        path, clock = f"/v1/requests/{self._id}", asyncio.get_running_loop().time
        deadline = clock() + PATIENCE
        while clock() < deadline:
            self.request = await self.cast.partner.api.get(path)
            if self.request["state"] == state:
                self.request = await self.cast.people["Yuki Tanaka"].api.get(path)
                return
            await asyncio.sleep(0.05)
        raise DemoFailed(f"The request is {self.request['state']} and does not come to {state}.")

    def _decision(self, stage: Stage, reason: str, outcome: str = "approved") -> Json:
        body = {"stage": stage, "outcome": outcome, "digest": self._digest, "reason": reason}
        return {**body, "no_interest": True}

    def _named(self, text: str) -> str:
        """Findings name people by id only; whoever watches the demo may know who they are."""
        for person in (*self.cast.people.values(), *self.cast.founder.values()):
            text = text.replace(person.id, person.name)
        return text

    def body(self) -> Json:
        """What the partner asks for."""
        return {
            "title": "Face matching research",
            "dataset": DATASET,
            "purpose": PURPOSE,
            "intended_use": "Train and test a model that tells whether two photos show one person.",
            "scope": {"fields": ["photo"], "where": {}, "limit": max(len(self.album.photos), 1)},
            "legal_basis": "gdpr:A6-1-a",
            "special_category_basis": "gdpr:A9-2-a",
            "retention_days": 365,
            "trains_models": True,
            "onward_recipients": [],
            "sponsor": None,
            "delivery": {"format": "webdataset"},
        }

    @property
    def _id(self) -> str:
        return str(self.request["id"])

    @property
    def _digest(self) -> str:
        return str(self.request["digest"])


def hold(condition: bool, sentence: str) -> None:
    """Ends the demo as failed, with that sentence, unless the condition is true."""
    if not condition:
        raise DemoFailed(sentence)
