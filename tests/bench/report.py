"""What a bench comes to, and how it is shown."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path


class PeerMissing(Exception):
    """A program to compare with is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Ratios are ours divided by the peer's: more is better, except where its page of the docs says
    otherwise (`growth_3m_to_10m`, `html_vs_json`)."""

    bench: str
    ratios: dict[str, float]
    figures: dict[str, object]
    rows: tuple[tuple[str, ...], ...] = ()


def show(report: Report) -> None:
    """Prints the rows as a table with aligned columns, then one line a ratio."""
    widths = [max(map(len, column)) for column in zip(*report.rows, strict=True)]
    for row in report.rows:
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print()
    for name, ratio in report.ratios.items():
        print(f"{name:28} {ratio:.2f}")


def as_json(report: Report) -> str:
    """The report as one line."""
    answer = asdict(report)
    del answer["rows"]
    answer["ratios"] = {name: round(ratio, 3) for name, ratio in report.ratios.items()}
    return json.dumps({**answer, "machine": machine()})


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": sys.version.split()[0],
        "temporalio": version("temporalio"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
