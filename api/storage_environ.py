"""What of our environment tells where object stores are, and who we are to them.

These names belong to the stores' makers; every tool reads them. Only the export worker is given all
of them: a process that decides, or that talks to people, must not be able to read a photo."""

from collections.abc import Mapping

OTHERS = ("AWS_", "GOOGLE_", "AZURE_")
# Where the store is, and how to speak to it: no secret.
ADDRESSES = frozenset(
    {
        "AWS_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ALLOW_HTTP",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AZURE_STORAGE_ENDPOINT",
    }
)


def storage_environ(environ: Mapping[str, str], settings: frozenset[str]) -> dict[str, str]:
    """An environment with that of the stores which a process with these settings may have: all
    with the store's setting, the addresses with that of the packages, else none."""
    if "store_url" in settings:
        return dict(environ)
    kept = ADDRESSES if "delivery_url" in settings else frozenset[str]()
    return {
        name: text for name, text in environ.items() if name in kept or not name.startswith(OTHERS)
    }
