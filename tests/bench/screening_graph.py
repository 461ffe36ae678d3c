"""The graph of the bench `screening`, in the shape of what GLEIF and ownership registers publish.

Three edges an organisation on average. A tenth of all owners are picked as often as they own things
already, so that few own very many: funds' managers and index funds. Majority owners form groups of
a few to a few hundred companies, in trees; now and then a company owns a part of its own owner."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sharing.conflict import InterestKind, plain

SEED = 1
PAGE = 50_000
HEADS = ("Aurora", "Boreal", "Cedar", "Delta", "Ember", "Fjord", "Garnet", "Harbour", "Iris",
         "Juniper", "Kestrel", "Lumen", "Meridian", "Northlight", "Opal", "Pioneer")  # fmt: skip
TAILS = ("Capital", "Vision", "Foods", "Energy", "Systems", "Partners", "Media", "Logistics")
CIRCULAR = 0.005  # so many of all edges go back up


@dataclass(frozen=True, slots=True)
class Size:
    """How many of everything."""

    organisations: int
    edges: int
    insiders: int

    @property
    def hubs(self) -> int:
        """How many organisations own very many others."""
        return max(20, self.organisations // 5_000)


def name(number: int) -> str:
    """An organisation's name."""
    head, tail = HEADS[number % 16], TAILS[number // 16 % 8]
    return f"{head} {tail} {number:07d}"


def lei(number: int) -> str:
    """A LEI with right check digits."""
    body = f"5299{number:014d}"
    digits = int("".join(str(int(c, 36)) for c in body) + "00")
    return f"{body}{98 - digits % 97:02d}"


def fill(file: Path, size: Size) -> None:
    """Writes the graph and the insiders into a migrated SQLite file."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    _many(connection, "organisation", _organisations(size))
    _many(connection, "organisation_edge", _edges(size))
    _many(connection, "person", _people(size))
    _many(connection, "interest", _interests(size))
    connection.execute("UPDATE head SET position = ? WHERE name = 'organisation'",
                       (size.organisations,))  # fmt: skip
    connection.execute("ANALYZE")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _many(connection: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    while page := list(islice(rows, PAGE)):
        columns = list(page[0])
        places = ", ".join(f":{column}" for column in columns)
        connection.executemany(
            f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})", page
        )


def _organisations(size: Size) -> Iterator[dict[str, Any]]:
    for n in range(1, size.organisations + 1):
        yield {"id": n, "name": name(n), "name_key": plain(name(n)), "lei": lei(n), "ref": None,
               "person": 0, "source": "gleif"}  # fmt: skip


def _edges(size: Size) -> Iterator[dict[str, Any]]:
    """Groups first (a majority owner each), then stakes of funds, then a few backwards."""
    chance = np.random.default_rng(SEED)
    n = size.organisations
    owned = np.arange(2, n + 1)
    # A group has about 30 members: its head is near below; deeper members hang on others of it.
    group = (owned // 30) * 30 + 1
    near = np.maximum(owned - 1 - chance.integers(0, 8, len(owned)), group)
    parents = np.where(owned == group, 1 + chance.integers(0, n, len(owned)), near)
    majority = chance.random(len(owned)) < 0.75
    yield from _rows(parents[majority], owned[majority], chance, 0.5, 1.0, "subsidiary")
    left = size.edges - int(majority.sum())
    weights = 1 / np.arange(1, size.hubs + 1) ** 0.9
    hubs = chance.choice(size.hubs, left, p=weights / weights.sum()) * (n // size.hubs) + 7
    some = chance.integers(1, n + 1, left)
    owners = np.where(chance.random(left) < 0.9, hubs, some)
    stakes = chance.integers(1, n + 1, left)
    back = int(CIRCULAR * size.edges)
    yield from _rows(owners[back:], stakes[back:], chance, 0.001, 0.1, "ownership")
    yield from _rows(owned[:back], parents[:back], chance, 0.01, 0.3, "ownership")


def _rows(
    owners: Any, owned: Any, chance: np.random.Generator, least: float, most: float, kind: str
) -> Iterator[dict[str, Any]]:
    shares = np.round(chance.uniform(least, most, len(owners)), 4)
    for owner, one, share in zip(owners.tolist(), owned.tolist(), shares.tolist(), strict=True):
        yield {"owner_id": owner, "owned_id": one, "kind": kind, "source": "gleif", "share": share,
               "at_least": share, "since": None, "until": None}  # fmt: skip


def _people(size: Size) -> Iterator[dict[str, Any]]:
    for n in range(size.insiders):
        yield {"id": f"per_{n:020x}", "name": f"Insider {n}", "email": f"{n}@example.org",
               "partner_id": None, "created_at": "2026-01-01 00:00:00"}  # fmt: skip


def _interests(size: Size) -> Iterator[dict[str, Any]]:
    """One an insider; two in three by LEI, the others by name, one in fifty of those misspelt."""
    chance = np.random.default_rng(SEED + 1)
    kinds = list(InterestKind)
    for n, organisation in enumerate(chance.integers(1, size.organisations + 1, size.insiders)):
        number = int(organisation)
        by_name = n % 3 == 0
        called = name(number).replace("a", "aa", 1) if n % 150 == 0 else name(number)
        yield {"id": f"int_{n:020x}", "person_id": f"per_{n:020x}", "organisation": called,
               "lei": None if by_name else lei(number), "kind": str(kinds[n % len(kinds)]),
               "since": "2020-01-01", "until": None, "detail": "-", "declared_by": "x",
               "declared_at": "2026-01-01 00:00:00"}  # fmt: skip


def partners(size: Size, count: int) -> list[int]:
    """Organisations that ask: some owned deep in a group, some heads of one, some anywhere."""
    chance = np.random.default_rng(SEED + 2)
    drawn = chance.integers(31, size.organisations - 30, count)
    return [int(n) // 30 * 30 + 1 if i % 3 == 0 else int(n) for i, n in enumerate(drawn)]
