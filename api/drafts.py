"""A body as it was sent becomes a revision: defaults set, names resolved, the digest taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlmodel import Session

from api.dependencies import Call
from sharing.errors import Refused, bad_field
from sharing.records import datasets, policies
from sharing.records.parties import Partner
from sharing.request import Revision, check


@dataclass(frozen=True, slots=True)
class Draft:
    """A revision that may be sent: its digest, and the body of the order that carries it."""

    digest: str
    order_body: Mapping[str, Any]


def drafted(
    session: Session, call: Call, request_id: str, number: int, body: Mapping[str, Any]
) -> Draft:
    """The draft of revision `number`; raises Refused naming every field that cannot stand."""
    dataset = datasets.named(session, body["dataset"])
    offer = None if dataset is None else datasets.offer_of(dataset)
    check(body, offer)
    if dataset is None or offer is None:
        raise _unknown_dataset(session, body["dataset"])
    if dataset.index_version == 0:
        raise Refused(
            "not_indexed",
            f"{dataset.name} was never indexed: an admin has to call "
            f"`POST /v1/datasets/{dataset.name}/index` first.",
        )
    partner = session.get_one(Partner, call.partner_id)
    scope = {**body["scope"], "fields": offer.canonical(body["scope"]["fields"])}
    named = {"dataset": dataset.name, "sponsor": _sponsor(body["sponsor"]), "scope": scope}
    whole = {**body, **named}
    policy = policies.in_force(session)
    revision = Revision(
        request_id, number, partner.id, partner.age_recipient, dataset.index_version, whole, policy
    )
    return Draft(
        revision.digest,
        {
            **whole,
            "index": dataset.index_version,
            "number": number,
            "policy": policy,
            "age_recipient": partner.age_recipient,
        },
    )


def _sponsor(written: str | None) -> str | None:
    """As it was written, an e-mail address in small letters: who that is, is looked up at each act.
    An id in its place would tell a partner who works here."""
    return written.casefold() if written and "@" in written else written


def _unknown_dataset(session: Session, name: str) -> Refused:
    close = get_close_matches(name, list(datasets.all_names(session)), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else " `GET /v1/datasets` lists them."
    return bad_field("dataset", f"there is no dataset {name!r}.{hint}")
