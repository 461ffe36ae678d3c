"""The register as an Atom feed (RFC 4287). Ids never change, wherever it is served from."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from api import register_words

ATOM = "http://www.w3.org/2005/Atom"


def feed(entries: Sequence[Mapping[str, Any]], address: str, author: str, never: datetime) -> bytes:
    """The entries that were decided last, as XML. `never`: when it changed, with none in it."""
    root = Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _text(root, "id", uuid.uuid5(uuid.NAMESPACE_URL, f"{address}/register").urn)
    _text(root, "title", "Who received data of users, and who did not")
    _text(root, "updated", _moment(max((_ended(one) for one in entries), default=never.date())))
    _text(SubElement(root, "author"), "name", _plain(author))
    _link(root, "self", f"{address}/register.atom", "application/atom+xml")
    _link(root, "alternate", f"{address}/register", "text/html")
    for one in entries:
        _entry(SubElement(root, "entry"), one, address)
    written: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + written


def _entry(element: Element, one: Mapping[str, Any], address: str) -> None:
    """One entry. It counts as changed on the day it was decided: when later on somebody takes a
    consent back, the day of that is nobody's business."""
    _text(element, "id", uuid.uuid5(uuid.NAMESPACE_OID, one["id"]).urn)
    outcome = register_words.OUTCOMES[one["outcome"]]
    _text(element, "title", _plain(f"{register_words.heading(one)}. {outcome}"))
    _text(element, "updated", _moment(_ended(one)))
    _text(element, "published", _moment(_ended(one)))
    _link(element, "alternate", f"{address}/register/{one['id']}", "text/html")
    SubElement(element, "category", {"term": str(one["outcome"]), "label": outcome})
    _text(element, "summary", _plain(one["summary"]))


def _ended(one: Mapping[str, Any]) -> date:
    ended: date = one["ended_on"] or one["submitted_on"]
    return ended


def _moment(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat().replace("+00:00", "Z")


def _text(parent: Element, name: str, words: str) -> None:
    SubElement(parent, name).text = words


def _link(parent: Element, rel: str, href: str, kind: str) -> None:
    SubElement(parent, "link", {"rel": rel, "href": href, "type": kind})


def _plain(words: str) -> str:
    """Without what XML cannot hold, such as control characters."""
    return "".join(one for one in words if one.isprintable())
