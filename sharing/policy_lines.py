"""Where each key of a TOML text stands, so that what is wrong can be told by line and key.

`tomllib` names the line of what is no TOML, and forgets lines once it has read the rest; `tomlkit`
keeps every space of a text, but no line numbers either. So keys are found in the text itself, which
by then is known to be TOML.
"""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]
Table = Mapping[str, object]
_HEADER = re.compile(r"[ \t]*(\[\[?)([^\]\n]+)\]\]?")
_KEY = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_KEYS = re.compile(rf"[ \t]*({_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*=")
_INNER = re.compile(rf"[{{,]\s*({_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*=")
_WORD = re.compile(_KEY)
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)


class Lines:
    """The line of each key, counted from 1; entries of lists of tables are counted from 0."""

    def __init__(self, text: str) -> None:
        self._found: dict[Path, int] = {}
        self._entries: dict[Path, int] = {}
        self._walk(text)

    def of(self, path: Path) -> int:
        """Where a key stands, or the nearest thing around it that has a line."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)

    def _walk(self, text: str) -> None:
        at, line = 0, 1
        table: Path = ()
        while at < len(text):
            end = _end_of_line(text, at)
            if header := _HEADER.match(text, at, end):
                table = self._opened(_names(header[2]), several=header[1] == "[[")
                self._found[table] = line
            elif key := _KEYS.match(text, at, end):
                end = _end_of_value(text, key.end())
                self._key((*table, *_names(key[1])), text[key.end() : end], line)
            line += text.count("\n", at, end + 1)
            at = end + 1

    def _opened(self, names: Path, *, several: bool) -> Path:
        whole: Path = ()
        for name in names:
            whole = (*whole, name)
            if several and len(whole) - _numbers(whole) == len(names):
                self._entries[whole] = self._entries.get(whole, -1) + 1
            if whole in self._entries:
                whole = (*whole, self._entries[whole])
        return whole

    def _key(self, path: Path, value: str, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._found.setdefault(path[:length], line)
        plain = _STRING.sub(lambda found: found[0] if "\n" not in found[0] else '""', value)
        for inner in _INNER.finditer(plain):
            below = line + value.count("\n", 0, inner.start(1))
            self._found.setdefault((*path, *_names(inner[1])), below)


def shown(path: Path) -> str:
    """A key as people write it: `rule[2].legal_approval.days`, counted from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _names(written: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in _WORD.findall(written))


def _numbers(path: Path) -> int:
    return sum(isinstance(part, int) for part in path)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _end_of_value(text: str, at: int) -> int:
    """Where the line ends on which a value ends: brackets and long strings go over several."""
    depth = 0
    while at < len(text):
        if string := _STRING.match(text, at):
            at = string.end()
            continue
        letter = text[at]
        if letter == "#":
            at = _end_of_line(text, at)
            continue
        if letter == "\n" and depth == 0:
            return at
        depth += (letter in "[{") - (letter in "]}")
        at += 1
    return len(text)
