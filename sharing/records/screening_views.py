"""What a screening looks like to people inside: paths that a page can draw, and in words."""

from typing import Any

from sqlmodel import Session

from sharing.conflict import Alike, Interest, Leg, Match, Screening
from sharing.ownership import Named
from sharing.records import interests, signoff
from sharing.records.organisations import shown
from sharing.records.parties import Person
from sharing.records.requests import Request
from sharing.records.screenings import Target, screening
from sharing.records.tables import now
from sharing.ties import strength, words

View = dict[str, Any]


def screening_view(session: Session, request: Request, *, who: bool) -> View:
    """What screening finds as of now. Without `who` there is nothing in it about any person."""
    found = signoff.screened(session, request)
    return {
        "request": request.id,
        "digest": request.digest,
        "at": now(),
        "matches": [_match(session, one, who) for one in found.matches],
        "names_alike": [_alike(session, one, who) for one in found.alike],
        "owners": list(found.owners),
        "too_large": list(found.too_large),
        "cut_short": found.cut,
        "more_than_all_owned": list(found.over_all),
    }


def all_around(session: Session) -> View:
    """The same for everybody that any request on record is about which is open, or was released:
    once for each, however many requests there are."""
    asked = interests.concerned(session.connection())
    about = {one.organisation: one for some in asked.values() for one in some}
    targets = [Target(one, one.name) for one in about]
    held, found = interests.stakes(session), Screening([])
    if targets:
        found = screening(session, held, targets, now().date())
    alike = [_alike(session, one, who=True) for one in found.alike]
    return {
        "at": now(),
        "requests": len(asked),
        "matches": [_match(session, one, who=True) for one in found.matches],
        "names_alike": sorted(alike, key=lambda one: (one["ruling"] is not None, -one["score"])),
    }


def _match(session: Session, match: Match, who: bool) -> View:
    measured, person = strength(match), match.interest.person_id
    view: View = {
        "target": match.target,
        "relation": match.relation,
        "organisation": {"name": match.organisation.name, "lei": match.organisation.lei},
        "hops": len(match.legs),
        "path": [_leg(leg) for leg in match.legs],
        "strength": round(measured.number, 4),
        "class": measured.strength,
        "confirmed": match.confirmed,
    }
    if not who:
        return view
    name = _name(session, person)
    said = words(match).replace(person, name, 1)
    return {**_who(session, match.interest), **view, "words": f"{said}."}


def _alike(session: Session, one: Alike, who: bool) -> View:
    view: View = {
        "organisation": _node(one.organisation),
        "relation": one.relation,
        "score": one.score,
        "ruling": one.ruling,
    }
    if not who:
        return view
    told = {"named": one.interest.organisation.name, "reason": one.reason}
    return {**_who(session, one.interest), **view, **told}


def _who(session: Session, interest: Interest) -> View:
    return {
        "person": interest.person_id,
        "person_name": _name(session, interest.person_id),
        "interest": interest.id,
        "kind": interest.kind,
    }


def _leg(leg: Leg) -> View:
    return {
        "from": _node(leg.first),
        "to": _node(leg.second),
        "owns": leg.owns,
        "kind": leg.kind,
        "share": leg.share,
    }


def _node(node: Named) -> View:
    known = node.number > 0
    return {"id": shown(node.number) if known else None, "name": node.name, "lei": node.lei}


def _name(session: Session, person_id: str) -> str:
    person = session.get(Person, person_id)
    return person.name if person else person_id
