"""How an object's subject is known: from its path, by a pattern, or from an index file."""

import re
from collections.abc import Callable

from sharing.errors import Refused, bad_field
from sharing.export.paths import shown

INDEX_FILES = (".csv", ".parquet")

_PATH = "path:"
_SUBJECT = "{subject}"
_LONGEST = 500
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\{subject\}|[^*{]+|.", re.DOTALL)
_EXTENSION = re.compile(r"\.\w+\Z")


def check_subject_from(text: str) -> None:
    """Raises Refused (`invalid_body`, field `subject_from`) for what `scan` could not follow."""
    if text.startswith(_PATH):
        subject_pattern(text)
    else:
        index_file_name(text)


def index_file_name(text: str) -> str:
    """The name of the index file in the dataset's folder; raises Refused if it cannot be one."""
    if not text.lower().endswith(INDEX_FILES):
        raise _bad(f"{shown(text)} is neither 'path:{{subject}}/*' nor a .csv or .parquet file.")
    if "/" in text or "\\" in text or not text.isprintable() or len(text) > 255:
        raise _bad(f"{shown(text)} must be the bare name of a file in the dataset's folder.")
    return text


def subject_pattern(text: str) -> Callable[[str], str | None]:
    """A function from an object's path to its subject, or None where the pattern does not fit."""
    pattern = text.removeprefix(_PATH)
    _check(pattern)
    matches = re.compile(_expression(pattern), re.DOTALL).fullmatch

    def subject(path: str) -> str | None:
        found = matches(path)
        return found["subject"] if found else None

    return subject


def _check(pattern: str) -> None:
    if len(pattern) > _LONGEST or not pattern.isprintable():
        raise _bad(f"a pattern is at most {_LONGEST} printable characters.")
    if pattern.count(_SUBJECT) != 1 or pattern.replace(_SUBJECT, "").count("{"):
        raise _bad("a pattern names {subject} exactly once, as in 'path:{subject}/*'.")
    parts = pattern.split("/")
    if "" in parts or ".." in parts or "." in parts:
        raise _bad("a pattern is relative to the dataset's folder, without '..', '.' or '//'.")
    if any("**" in part and part != "**" for part in parts):
        raise _bad("'**' stands alone between two slashes, as in 'path:**/{subject}/*'.")
    before, after = pattern.split(_SUBJECT)
    if before.endswith("*") or after.startswith("*"):
        raise _bad("'*' beside {subject} leaves open where the subject's name ends.")
    if "**" in before and "**" in after:
        raise _bad("'**' on both sides of {subject} leaves open which folder is the subject.")


def _expression(pattern: str) -> str:
    out = []
    for token in _TOKEN.findall(pattern):
        match token:
            case "**/":
                out.append("(?:.*/)?")
            case "**":
                out.append(".*")
            case "*":
                out.append("[^/]*")
            case "{subject}":
                # The shortest name that fits: `{subject}_*.jpg` takes what stands before the
                # first underscore.
                out.append("(?P<subject>[^/]+?)")
            case _:
                out.append(_literal(token))
    return "".join(out)


def _literal(text: str) -> str:
    """Literal text; a file extension fits in any case, as cameras write both."""
    extension = _EXTENSION.search(text)
    if extension is None:
        return re.escape(text)
    return f"{re.escape(text[: extension.start()])}(?i:{re.escape(extension[0])})"


def _bad(message: str) -> Refused:
    return bad_field("subject_from", message)
