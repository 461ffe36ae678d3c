"""Where a partner wants a package put: a prefix of its own in an S3 bucket.

It stands in the request, so it is in the digest: counsel approves the place with the rest."""

import re
from urllib.parse import urlsplit

LONGEST = 500
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_=.-]+(/[A-Za-z0-9_=.-]+)*")


def why_no_target(url: str) -> str | None:
    """Why nothing can be pushed to `url`, with the cure; None where it can."""
    if len(url) > LONGEST:
        return f"is longer than {LONGEST} characters."
    if not url.startswith("s3://"):
        return "must be a prefix in a bucket of yours, as in s3://bucket/prefix."
    parts = urlsplit(url)
    if "@" in parts.netloc or ":" in parts.netloc:
        return "must not hold keys or a port: the bucket's policy lets us in."
    if not _BUCKET.fullmatch(parts.netloc) or ".." in parts.netloc:
        return "names no S3 bucket: 3 to 63 small letters, digits, dots and hyphens."
    prefix = url.removeprefix(f"s3://{parts.netloc}").removeprefix("/")
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        return (
            "needs a prefix of letters, digits and ._=- between single slashes, without '..', "
            "as in s3://bucket/prefix."
        )
    return None


def target(body: object, export_id: str) -> str | None:
    """Where the package of an export of this scope goes; None where it is not pushed."""
    delivery = body.get("delivery") if isinstance(body, dict) else None
    push = delivery.get("push") if isinstance(delivery, dict) else None
    return f"{push}/{export_id}" if push else None
