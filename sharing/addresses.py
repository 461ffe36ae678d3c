"""Addresses: which of them can lead nowhere else, and which are one and the same."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def on_this_machine(url: str) -> bool:
    """True where an address cannot lead anywhere else."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def folded(email: str) -> str | None:
    """An e-mail address as it is kept and looked up, whatever the size of its letters; None where
    that would make a letter another one, and so the address another's: the long s becomes s, the
    sharp s becomes ss, the sign for kelvin k."""
    if any(not one.isascii() and one.casefold().isascii() for one in email):
        return None
    return email.casefold()
