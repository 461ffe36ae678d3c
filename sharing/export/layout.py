"""The names in a package, and a look at what is really there."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

SEAL = "seal.json"
MANIFEST = "manifest.parquet"
SUMMARY = "manifest.json"
CROISSANT = "croissant.json"
OBJECTS = "objects"
TABLE = "table"
PARTS = "parts"
WORK = ".work"

JSON_TYPE = "application/json"
PARQUET_TYPE = "application/vnd.apache.parquet"

PACKINGS = ("webdataset", OBJECTS, TABLE)
DATA_FILES = ("shard-", "table-")  # how a package's top-level data files begin


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of the package as it is delivered; `path` is relative to the package."""

    path: str
    bytes: int
    sha256: str


def plain_files(folder: Path) -> tuple[dict[str, int], list[str]]:
    """(size in bytes of each plain file by its path, what is there besides), without following
    links: a link, a device or an empty folder is `besides`."""
    sizes: dict[str, int] = {}
    besides: list[str] = []
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(folder / prefix) as listing:
            entries = list(listing)
        if prefix and not entries:
            besides.append(prefix)
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            path = prefix + entry.name
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path + "/")
            elif stat.S_ISREG(status.st_mode):
                sizes[path] = status.st_size
            else:
                besides.append(path)
    return sizes, sorted(besides)
