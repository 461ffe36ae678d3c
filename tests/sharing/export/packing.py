"""Packs a folder in a process of its own, and says how much memory that took.

`python -m tests.sharing.export.packing SOURCE STAGING PACKING AGE_RECIPIENT`, the last one empty
for a partner without a key."""

import json
import sys
from pathlib import Path

from tests.sharing.export.packages import pack
from tests.sharing.export.photos import candidates


def peak_mib() -> int:
    """The most memory that this process ever had, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def main(source: str, staging: str, packing: str, age: str) -> None:
    """Prints one line of JSON."""
    before = peak_mib()
    chosen = candidates(Path(source))
    result = pack(
        Path(source), Path(staging), 0, chosen, packing=packing, age_recipient=age or None
    )
    told = {
        "before": before,
        "peak": peak_mib(),
        "bytes": result.bytes,
        "files": [file.path for file in result.files],
        "unread": [unread.detail for unread in result.unread],
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
