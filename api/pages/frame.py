"""The frame that every page stands in: templates, filters, headers; and what a page may load."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from api.pages import changes, charts, record_words, words
from api.pages.places import places
from sharing.records.tables import now

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STEPS = ((60, "minute"), (3600, "hour"), (86_400, "day"))
LONG_AGO = 60 * 86_400


def exact(at: datetime | None) -> str:
    """A moment in full: `3 May 2026, 14:05 UTC`."""
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M} UTC" if at else ""


def day(at: datetime | None) -> str:
    """A moment's day."""
    return f"{at.astimezone(UTC):%-d %B %Y}" if at else ""


def relative(at: datetime) -> str:
    """A moment as seen from now: `in 3 days`, `2 hours ago`; its day where that is far off."""
    seconds = (at - now()).total_seconds()
    far = abs(seconds)
    if far >= LONG_AGO:
        return day(at)
    if far < STEPS[0][0]:
        return "in a moment" if seconds > 0 else "just now"
    size, unit = next((s for s in reversed(STEPS) if far >= s[0]), STEPS[0])
    many = int(far // size)
    said = f"{many} {unit}{'' if many == 1 else 's'}"
    return f"in {said}" if seconds > 0 else f"{said} ago"


def grouped(number: float) -> str:
    """A number with its thousands apart, by a thin space that does not break."""
    return f"{number:,}".replace(",", "\u202f")


def urgency(until: datetime | None) -> str:
    """`late`, `soon` (within a day), `week` or `calm`."""
    if until is None:
        return "calm"
    seconds = (until - now()).total_seconds()
    if seconds <= 0:
        return "late"
    return "soon" if seconds < 86_400 else "week" if seconds < 7 * 86_400 else "calm"


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {
    "words": words.plain,
    "sentence": words.sentence,
    "soft": words.soft,
    "roles": words.roles,
    "role": record_words.role,
    "promise": record_words.promise,
    "value": words.value,
    "parted": changes.parted,
    "purpose": words.purpose,
    "category": words.category,
    "basis": words.basis,
    "stage": words.stage,
    "field": words.field,
    "exact": exact,
    "day": day,
    "relative": relative,
    "grouped": grouped,
    "urgency": urgency,
}
_templates.globals |= {"known": words, "charts": charts, "places": places}


def compile_all() -> None:
    """Compiles every template, about a second's work, that nobody's first page may wait for."""
    for name in _templates.list_templates():
        _templates.get_template(name)


def page(template: str, status: int, **values: Any) -> Response:
    """A page for people, with the headers that all of ours have. Without a `visit` it is one for
    nobody in particular."""
    values.setdefault("visit", None)
    html = _templates.get_template(template).render(**values)
    return HTMLResponse(html, status, HEADERS)
