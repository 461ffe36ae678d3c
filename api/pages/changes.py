"""What differs between two answers, word by word: a reader looks for the one word that changed in
a long statement, and is not to compare two of them by eye."""

import re
from difflib import SequenceMatcher

from api.pages.words import value

SHORT, ALIKE = 60, 0.4  # letters below which, and likeness from which, words are not compared
AROUND, MOST = 10, 4000  # pieces shown around a change, and the most that are compared
Part = tuple[str, str]


def parted(before: object, after: object) -> list[Part]:
    """Pieces in reading order: `same`, `gone`, `new`, and `gap` for what was the same at length."""
    old, new = value(before), value(after)
    pieces, others = _pieces(old), _pieces(new)
    if min(len(old), len(new)) < SHORT or max(len(pieces), len(others)) > MOST:
        return _whole(old, new)
    matched = SequenceMatcher(None, pieces, others, autojunk=False)
    if matched.ratio() < ALIKE:
        return _whole(old, new)
    found: list[Part] = []
    for kind, a, b, c, d in matched.get_opcodes():
        if kind == "equal":
            found += _shortened(pieces[a:b], first=a == 0, last=b == len(pieces))
        else:
            found += [("gone", "".join(pieces[a:b]))] * (b > a)
            found += [("new", "".join(others[c:d]))] * (d > c)
    return found


def _whole(old: str, new: str) -> list[Part]:
    return [("gone", old), ("same", " \u2192 "), ("new", new)]


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|\S+", text)


def _shortened(same: list[str], *, first: bool, last: bool) -> list[Part]:
    """What stands beside a change; in the middle, and at both ends of the text, a gap."""
    head, tail = 0 if first else AROUND, 0 if last else AROUND
    if len(same) <= head + tail + AROUND:
        return [("same", "".join(same))]
    before, after = "".join(same[:head]), "".join(same[len(same) - tail :] if tail else ())
    cut = [("same", before.rstrip()), ("gap", "\u2026" if first else " \u2026 ")]
    return [one for one in (*cut, ("same", " " * first + after.lstrip())) if one[1].strip()]
