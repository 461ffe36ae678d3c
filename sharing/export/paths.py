"""Names of files that come from elsewhere: what may be joined to a folder, and what may not."""

LONGEST_PATH = 4000  # bytes; Linux takes 4,096 with the folder before it


def why_unsafe(path: str) -> str | None:
    """Why `path` must not be joined to a folder, in words that finish "the name ..."; else None.

    Safe is a relative posix path without `..`, `.`, empty parts or NUL: one that stays inside.
    """
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    if "\x00" in path:
        return "contains a zero byte"
    if len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH:,} bytes"
    parts = path.split("/")
    if ".." in parts:
        return "contains '..'"
    if "" in parts or "." in parts:
        return "contains an empty part or '.'"
    return None


def shown(name: str, limit: int = 120) -> str:
    """A name for an error message: quoted, without control characters, not endlessly long."""
    text = name if len(name) <= limit else f"{name[:limit]}..."
    return repr(text)
