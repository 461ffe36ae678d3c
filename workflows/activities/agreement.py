"""The agreement on its way: drafted with the submission, counsel's further terms, the partner's
acceptance. Where the partner's yes comes after counsel's, the clearance is sealed with it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import activity

from sharing import agreement_file
from sharing.acceptance import Method, demand_signature, to_sign
from sharing.agreement import drafted, told, with_term
from sharing.errors import NotFound, Refused
from sharing.orders import Order, Verb
from sharing.records import (
    acceptance_links,
    acceptances,
    agreements,
    clearances,
    partner_keys,
    requests,
    standing,
)
from sharing.records.acceptance_links import AcceptanceLink
from sharing.records.acceptances import Acceptance
from sharing.records.agreements import AgreementVersion
from sharing.records.database import Database
from sharing.records.parties import Partner, actor
from sharing.records.partner_keys import PartnerKey
from sharing.records.requests import Request
from sharing.records.signing_keys import demand_order
from sharing.records.tables import new_id, now
from sharing.records.unit import Unit
from sharing.settings import Settings
from workflows.activities.acts import act, demand_fresh
from workflows.activities.decisions import clear
from workflows.messages import Accepted

# What is kept of the order by which a partner asked: with the revision it is the whole order again.
SUBMISSION = ("index", "number", "client", "key", "body_hash")


class Agreements:
    """Records what is said about a request's agreement."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    @activity.defn
    async def record_terms(self, order: Order) -> None:
        """One more term by counsel: a new version, which the gate is about from then on."""
        await act(self._database, _added, order)

    @activity.defn
    async def record_acceptance(self, order: Order) -> Accepted:
        """The partner's yes to exactly the current version."""
        valid_for = timedelta(days=self._settings.clearance_days)
        return await act(self._database, partial(_accepted, valid_for=valid_for), order)


def draft(unit: Unit, order: Order, body: Mapping[str, Any]) -> None:
    """The agreement as the template makes it from what was just submitted."""
    partner = unit.session.get_one(Partner, order.actor)
    terms = drafted(agreement_file.in_force(), body, partner.id, partner.name)
    kept = {name: order.body.get(name) for name in SUBMISSION}
    evidence = {"verb": str(order.verb), "at": order.at, **kept}
    agreements.add(unit.session, order.request_id, order.digest, terms, order, evidence)


def draft_late(unit: Unit, request: Request) -> AgreementVersion:
    """The same for a request that came before agreements were drafted with it: nobody has seen
    this one yet, so the submission does not accept it."""
    partner = unit.session.get_one(Partner, request.partner_id)
    body = requests.revision_row(unit.session, request).body
    terms = drafted(agreement_file.in_force(), body, partner.id, partner.name)
    return agreements.add(unit.session, request.id, request.digest, terms)


def accept_by_submission(unit: Unit, request: Request, version: AgreementVersion) -> None:
    """The unaltered template was there to be read before the partner asked, so its signed order
    is its yes. Nothing else is accepted like that."""
    if version.number != 1 or version.made_by != request.partner_id:
        return
    if acceptances.stands(unit.session, request, version.agreement_digest):
        return
    evidence = {"order": version.order_id, **version.evidence}
    signature = str(evidence.pop("signature"))
    _record(unit, request, version, new_id("acc"), Method.SUBMISSION, evidence, signature)


def _added(unit: Unit, order: Order) -> None:
    demand_order(unit.session, order, Verb.ADD_TERMS)
    request = requests.get(unit.session, order.request_id, hold=True)
    if agreements.by_order(unit.session, order.id) is not None:
        return
    demand_fresh(order)
    person = actor(unit.session, order.actor)
    if person is None:
        raise NotFound("person", order.actor)
    gate = standing.demand_addable(unit.session, request, person, order.body["agreement"])
    if order.digest != request.digest:
        raise Refused("stale_digest", "The request has changed since: read it again.")
    current = agreements.current(unit.session, request)
    terms = with_term(agreements.terms(unit.session, current), told(order.body["term"]))
    version = agreements.add(
        unit.session, request.id, request.digest, terms, order, {"at": order.at}
    )
    unit.session.flush()
    gate.agreement_digest = version.agreement_digest
    news = {
        "agreement": version.agreement_digest,
        "version": version.number,
        "kind": str(order.body["term"]["kind"]),
    }
    unit.audit(order.actor, "agreement.terms_added", request.id, **news)
    unit.tell(
        "agreement.terms_added",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        **news,
    )


def _accepted(unit: Unit, order: Order, valid_for: timedelta) -> Accepted:
    demand_order(unit.session, order, Verb.ACCEPT)
    request = requests.get(unit.session, order.request_id, hold=True)
    wait = valid_for.total_seconds()
    if unit.session.get(Acceptance, order.id) is not None:
        cleared = clearances.of(unit.session, request.id, order.digest) is not None
        return Accepted(cleared, wait if cleared else 0.0)
    demand_fresh(order)
    agreement = order.body["agreement"]
    gate = acceptances.demand_acceptable(
        unit.session, request, order.actor, order.digest, agreement
    )
    version = agreements.current(unit.session, request)
    method = Method(order.body["method"])
    if method is Method.SIGNATURE:
        _by_signature(unit, request, version, order)
    elif method is Method.LINK:
        _by_link(unit, request, version, order)
    else:
        raise Refused("forged_order", "No order accepts an agreement like that.")
    if not acceptances.awaited(request, gate):
        return Accepted(cleared=False)
    clear(unit, request, valid_for)
    return Accepted(True, wait)


def _by_signature(unit: Unit, request: Request, version: AgreementVersion, order: Order) -> None:
    message = to_sign(request.id, request.digest, version.agreement_digest)
    signature = order.body["signature"]
    keys = partner_keys.signing(unit.session, request.partner_id)
    key = unit.session.get_one(PartnerKey, demand_signature(keys, signature, message))
    evidence = {"signature": signature, "signed": message, "client": order.body.get("client")}
    more = {"key_id": key.id, "signatory": key.signatory}
    _record(unit, request, version, order.id, Method.SIGNATURE, evidence, order.signature, **more)


def _by_link(unit: Unit, request: Request, version: AgreementVersion, order: Order) -> None:
    link = unit.session.get(AcceptanceLink, order.body["link"], with_for_update=True)
    if link is None or link.request_id != request.id:
        raise NotFound("link", order.body["link"])
    acceptance_links.demand_usable(link)
    if link.digest != request.digest or link.agreement_digest != version.agreement_digest:
        raise Refused("stale_digest", "The agreement has changed since this link was made.")
    evidence = {name: order.body[name] for name in ("text_sha256", "agent_sha256")}
    more = {"link_id": link.id, "signatory": link.name}
    _record(unit, request, version, order.id, Method.LINK, evidence, order.signature, **more)
    link.used_at = now()


def _record(
    unit: Unit,
    request: Request,
    version: AgreementVersion,
    acceptance_id: str,
    method: Method,
    evidence: dict[str, Any],
    signature: str,
    **more: str,
) -> None:
    unit.session.add(
        Acceptance(
            id=acceptance_id,
            request_id=request.id,
            digest=request.digest,
            agreement_digest=version.agreement_digest,
            partner_id=request.partner_id,
            method=method,
            evidence=evidence,
            signature=signature,
            at=now(),
            **more,
        )
    )
    unit.session.flush()
    news = {"agreement": version.agreement_digest, "version": version.number, "method": str(method)}
    unit.audit(request.partner_id, "agreement.accepted", request.id, **news)
    unit.tell(
        "agreement.accepted",
        request.id,
        partner_id=request.partner_id,
        request_id=request.id,
        **news,
    )
