"""A few photos of a scope, made small and sealed to the API that asked."""

import base64
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace

from temporalio import activity

from sharing.consent_feed import Follower
from sharing.errors import NotYet, Refused
from sharing.export.bucket import SourceAway, joined, place
from sharing.export.sample import SHOWN, Sample, sample_of
from sharing.export.source import SourceFailed
from sharing.export.thumbnail import Drawn, drawn
from sharing.keyring import keyring
from sharing.orders import Order, Verb
from sharing.records import parties, previews, requests, standing
from sharing.records.database import Database
from sharing.records.previews import Made, PreviewLook
from sharing.records.requests import Request
from sharing.records.signing_keys import demand_order
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.sealed import seal
from sharing.settings import Settings
from sharing.stages import Role
from workflows.activities.acts import act, demand_fresh
from workflows.activities.hands import Hands, apart


class Previews:
    """Reads photos in a process of its own: what is opened there may end that one, and no other."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        follower: Follower | None = None,
        hand: Hands | None = None,
    ) -> None:
        self._database = database
        self._follower = follower or Follower(database, settings)
        self._store = place(settings.store_url, "CLEARANCE_STORE_URL")
        ring = keyring(settings.pseudonym_key)
        self._key = ring.key(ring.newest)
        self._hand = hand or apart()

    @activity.defn
    async def make_previews(self, order: Order) -> None:
        """Draws the lot, looks whose consent is active, and keeps small pictures of the first few.
        Looked at twice, it does nothing the second time."""
        if not await act(self._database, _demanded, order):
            return
        await self._follower.up_to_date()
        found = await self._database.read(
            lambda s: sample_of(s, order.request_id, self._key, now())
        )
        with _told():
            made = await self._drawn(found)
        made_at = PreviewLook(
            request_id=order.request_id,
            digest=order.digest,
            sealed_to=str(order.body["to"]),
            asked_by=order.actor,
            looked=found.looked,
            unreadable=made.unreadable,
            made_at=now(),
        )
        pictures = _sealed(found, made, base64.b64decode(made_at.sealed_to))
        await self._database.write(lambda unit: previews.keep(unit, made_at, pictures))

    async def _drawn(self, found: Sample) -> Drawn:
        if not found.candidates:
            return Drawn()
        source = joined(self._store, found.location, "location")
        try:
            return await self._hand.run(drawn, source, found.candidates, SHOWN)
        except BrokenProcessPool:  # one of them kills whoever opens it: none is shown
            return Drawn(unreadable=len(found.candidates))


def _demanded(unit: Unit, order: Order) -> bool:
    """True where pictures are to be made; raises Refused unless the API says that this person, who
    may decide now, asks to see them."""
    demand_order(unit.session, order, Verb.PREVIEW)
    demand_fresh(order)
    request: Request = requests.get(unit.session, order.request_id)
    person = parties.actor(unit.session, order.actor)
    role = Role(order.body["role"])
    if person is None:
        raise Refused("forged_order", "Nobody here ordered this: nothing was done.")
    held = replace(person, roles=person.roles & {role})
    standing.demand_sees_photos(unit.session, request, held, role, order.digest)
    return previews.needed(unit.session, request, str(order.body["to"]))


def _sealed(found: Sample, made: Drawn, to: bytes) -> list[Made]:
    pictures = []
    for one in made.thumbnails:
        named = previews.new_made(found.places[one.place], one.width, one.height)
        pictures.append(replace(named, sealed=seal(to, one.data, named.id)))
    return pictures


@contextmanager
def _told() -> Iterator[None]:
    """A folder that is not there is a refusal with a cure; a store that is away is tried again."""
    try:
        yield
    except SourceAway as failure:
        raise NotYet(failure.code, str(failure)) from failure
    except SourceFailed as failure:
        raise Refused(failure.code, str(failure)) from failure
