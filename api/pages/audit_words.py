"""Entries of the audit log as people read them: what an action is called, and whom it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from api.pages.record_words import role
from api.pages.words import plain

ACTIONS: Mapping[str, str] = {
    "acceptance_link.opened": "opened an agreement by a link",
    "agreement.accepted": "accepted an agreement",
    "agreement.link_made": "made a link to accept an agreement by",
    "agreement.terms_added": "added a term to an agreement",
    "audit.found_broken": "read the whole log, and it is broken",
    "audit.verified": "read the whole log: it is whole",
    "comment.added": "said something of a request",
    "consent.counted": "counted who agreed",
    "consent.given": "said yes",
    "consent.outlook_given": "was told roughly how many agreed",
    "consent.withdrawn": "took consent back",
    "consent_source.back": "heard from the consent source again",
    "consent_source.lost": "hears nothing from the consent source",
    "consents.appended": "wrote down consents",
    "consents.linked": "sealed new consents",
    "dataset.added": "put a dataset on record",
    "dataset.index_ordered": "had a dataset scanned",
    "dataset.indexed": "scanned a dataset",
    "decision.taken": "decided at a gate",
    "decision.voided": "made a decision count no longer",
    "delegation.ended": "took a delegation back",
    "delegation.made": "delegated a role",
    "draft.deleted": "deleted a draft",
    "draft.kept": "kept a draft",
    "export.cancelled": "stopped an export",
    "export.confirmed": "confirmed an export",
    "export.delivered": "delivered a package",
    "export.dry_run": "tried an export out",
    "export.erased": "erased what was staged",
    "export.failed": "ended an export that failed",
    "export.limited": "changed the speed of an export",
    "export.paused": "paused an export",
    "export.planned": "planned an export",
    "export.released": "released an export",
    "export.resumed": "let an export go on",
    "export.triggered": "started an export",
    "gate.assigned": "assigned a gate",
    "gate.claim_released": "gave a gate out of hand",
    "gate.claimed": "took a gate in hand",
    "gate.opened": "opened a gate",
    "interest.declared": "declared an interest",
    "interest.ended": "said that an interest has ended",
    "interest.end_confirmed": "confirmed that an interest has ended",
    "interest.found_late": "found an interest after the release",
    "interest.looked_at": "looked at an interest found late",
    "key.registered": "registered a key",
    "match.ruled": "ruled on two names that are alike",
    "notice.added": "added a version of a notice",
    "notice.compatibility_decided": "decided whether two versions of a notice go together",
    "organisations.added": "added organisations",
    "package.downloaded": "asked for a file of a package",
    "package.listed": "looked up the files of a package",
    "package.pushed": "pushed a package to the partner",
    "package.sent": "was sent a file of a package",
    "partner.added": "put a partner on record",
    "partner_key.registered": "registered a partner's key",
    "partner_key.revoked": "ended a partner's key",
    "person.added": "put a person on record",
    "person.linked": "said that two accounts are one person's",
    "person.recused": "recused somebody",
    "policy.approved": "put a policy in force",
    "policy.proposed": "proposed a policy",
    "pressure.noted": "said that they were leaned on",
    "preview.shown": "was shown one of the photos",
    "previews.made": "had photos drawn by lot",
    "pseudonym.revealed": "had a delivered name revealed",
    "pseudonym_key.settled": "settled the key of a partner's pseudonyms",
    "recall_item.opened": "called objects back",
    "register.declared": "made the yearly statement of interests",
    "register.reminder": "reminded of the yearly statement",
    "release.held": "held a release back",
    "request.amended": "changed a request",
    "request.cleared": "cleared a request",
    "request.delivered": "closed a delivered request",
    "request.expired": "let a request run out of time",
    "request.refused": "ended a refused request",
    "request.returned": "sent a request back",
    "request.revised": "put a new revision on record",
    "request.submitted": "submitted a request",
    "request.withdrawn": "withdrew a request",
    "role.given": "gave a role",
    "role.taken": "took a role away",
    "session.ended": "signed out",
    "session.opened": "signed in",
    "sign_in.issued": "made a sign-in link",
    "signing_key.registered": "registered a signing key",
    "signing_key.retired": "ended a signing key",
    "token.issued": "made a token",
    "token.revoked": "ended a token",
    "waiver.agreed": "agreed to a waiver",
}
PAGES = {"req": "/requests/", "per": "/people/", "ptr": "/partners/", "dst": "/datasets/",
         "org": "/organisations/"}  # fmt: skip
ACTS: Mapping[str, str] = {
    "requests.decide": "deciding",
    "requests.claim": "taking a gate in hand",
    "requests.take_back": "taking a decision back",
    "exports.trigger": "starting an export",
    "exports.confirm": "confirming an export",
    "exports.cancel": "stopping an export",
    "partners.create": "putting a partner on record",
    "people.create": "putting a person on record",
    "people.give": "giving a role",
    "people.take": "taking a role away",
    "policies.propose": "proposing a policy",
    "policies.approve": "approving a policy",
    "tokens.create": "making a token",
    "sign_in_links.create": "making a sign-in link",
    "interests.declare": "declaring an interest",
    "interests.end": "ending an interest",
    "interests.confirm_end": "confirming the end of an interest",
    "datasets.create": "putting a dataset on record",
    "notices.create": "adding a notice",
}
# What of an entry's detail is said in a list: the rest is on its own page.
TOLD = ("role", "roles", "stage", "outcome", "code", "why", "ruling", "standing", "compatible",
        "entries", "version", "reason")  # fmt: skip
SHORT, OURS = 40, "system:"
LABELS = {"request_id": "request", "holder": "for", "sha256": "fingerprint"}


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an entry names: what it is to the entry, how it is shown, and its page."""

    label: str
    shown: str
    link: str = ""
    id: str = ""


def did(action: str) -> str:
    """What was done, after the name of who did it."""
    if action.startswith("refused."):
        name = action.removeprefix("refused.")
        return f"was refused {ACTS.get(name) or plain(name).replace('.', ', ')}"
    if action in ACTIONS:
        return ACTIONS[action]
    noun, _, verb = action.partition(".")
    return f"{plain(noun)}: {plain(verb)}" if verb else plain(action)


def things(entry: Any, names: Mapping[str, str]) -> list[Thing]:
    """What an entry is about, one after the other: its request first, then its detail."""
    told = {"request_id": entry.request_id} if entry.request_id else {}
    return [_thing(name, value, names) for name, value in {**told, **entry.detail}.items()]


def gist(entry: Any, names: Mapping[str, str]) -> list[Thing]:
    """What a list says of an entry: what leads somewhere, and a few words. Somebody who did
    something about themselves is not named twice."""
    told = [one for one in things(entry, names) if one.id != entry.actor]
    short = {LABELS.get(name, plain(name)) for name in TOLD}
    return [one for one in told if one.link or (one.label in short and len(one.shown) <= SHORT)][:3]


def _thing(name: str, value: object, names: Mapping[str, str]) -> Thing:
    label = LABELS.get(name, plain(name))
    if name == "policy" and isinstance(value, int):
        return Thing(label, f"version {value}", f"/policy/{value}")
    if isinstance(value, str):
        page = PAGES.get(value[:3]) if value[3:4] == "_" else None
        shown = names.get(value, value if len(value) <= SHORT else f"{value[:16]}…")
        shown = role(shown) if name == "role" else plain(shown) if name in TOLD else shown
        return Thing(label, shown, f"{page}{quote(value)}" if page else "", value)
    if isinstance(value, dict):
        return Thing(label, "; ".join(f"{plain(k)} {plain(v)}" for k, v in value.items()))
    if isinstance(value, list):
        return Thing(label, ", ".join(names.get(str(one), plain(one)) for one in value) or "none")
    return Thing(
        label,
        {True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value),
    )


def ids(entries: list[Any]) -> list[object]:
    """Every id that these entries name."""
    found: list[object] = []
    for one in entries:
        found += [one.actor, one.request_id, *one.detail.values()]
        found += [i for value in one.detail.values() if isinstance(value, list) for i in value]
    return found


def actor(who: str, names: Mapping[str, str]) -> str:
    """Who acted: a name, a program of ours, or a person in the data."""
    if who in names:
        return names[who]
    if who.startswith("sub_"):
        return "Somebody in the data"
    if who == "command-line":
        return "Somebody at the command line"
    return f"Clearance ({plain(who[7:]).replace('-', ' ')})" if who.startswith(OURS) else who
