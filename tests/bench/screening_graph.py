"""The graph of the bench `screening`, in the shape of what GLEIF and ownership registers publish.

Three edges an organisation on average. Three in four have a majority owner within a group of about
30, or the head of it somewhere else. Nine in ten of all other stakes, of at most a tenth each, are
held by a few hundred funds, by a power law: the largest hold tens of thousands. Now and then a
company holds a part of its own owner."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sharing.conflict import InterestKind

SEED = 1
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
    """A LEI with right check digits; all of it is digits."""
    body = f"5299{number:014d}"
    return f"{body}{98 - int(body + '00') % 97:02d}"


def fill(file: Path, size: Size) -> None:
    """Writes the graph and the insiders into a migrated SQLite file. Indexes are taken down before
    and built again after: that takes a tenth of the time."""
    connection = sqlite3.connect(file)
    for setting in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {setting}")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('organisation', 'organisation_edge')"
    ).fetchall()
    for index, _ in indexes:
        connection.execute(f"DROP INDEX {index}")
    _many(
        connection, "organisation", "id, name, name_key, lei, person, source", _organisations(size)
    )
    columns = "owner_id, owned_id, kind, source, share, at_least"
    _many(connection, "organisation_edge", columns, _edges(size))
    _many(connection, "person", "id, name, email, created_at", _people(size))
    columns = "id, person_id, organisation, lei, kind, since, detail, declared_by, declared_at"
    _many(connection, "interest", columns, _interests(size))
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute(
        "UPDATE head SET position = ? WHERE name = 'organisation'", (size.organisations,)
    )
    connection.execute("ANALYZE")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


Row = tuple[Any, ...]


def _many(connection: sqlite3.Connection, table: str, columns: str, rows: Iterator[Row]) -> None:
    places = ", ".join("?" for _ in columns.split(","))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)


def _organisations(size: Size) -> Iterator[Row]:
    for n in range(1, size.organisations + 1):
        called = name(n)
        yield n, called, called.lower(), lei(n), False, "gleif"


def _edges(size: Size) -> Iterator[Row]:
    """Groups first (a majority owner each), then stakes of funds, then a few backwards; in the
    order of their keys, which is the order in which they lie in the file."""
    chance = np.random.default_rng(SEED)
    n = size.organisations
    owned = np.arange(2, n + 1)
    # A group has about 30 members: its head is near below; deeper members hang on others of it.
    group = (owned // 30) * 30 + 1
    near = np.maximum(owned - 1 - chance.integers(0, 8, len(owned)), group)
    parents = np.where(owned == group, 1 + chance.integers(0, n, len(owned)), near)
    majority = chance.random(len(owned)) < 0.75
    left = size.edges - int(majority.sum())
    weights = 1 / np.arange(1, size.hubs + 1) ** 0.9
    hubs = chance.choice(size.hubs, left, p=weights / weights.sum()) * (n // size.hubs) + 7
    owners = np.where(chance.random(left) < 0.9, hubs, chance.integers(1, n + 1, left))
    stakes, back = chance.integers(1, n + 1, left), int(CIRCULAR * size.edges)
    owners[:back], stakes[:back] = owned[:back], parents[:back]
    ends = [(parents[majority], owned[majority]), (owners, stakes)]
    above, below = (np.concatenate(part) for part in zip(*ends, strict=True))
    stake = np.arange(len(above)) >= majority.sum()
    share = np.where(
        stake, chance.uniform(0.001, 0.1, len(above)), chance.uniform(0.5, 1, len(above))
    )
    order = np.lexsort((stake, below, above))
    columns = (column[order].tolist() for column in (above, below, stake, share.round(4)))
    last = None
    for owner, one, thin, part in zip(*columns, strict=True):
        if (owner, one, thin) != last:
            yield owner, one, "ownership" if thin else "subsidiary", "gleif", part, part
        last = (owner, one, thin)


def _people(size: Size) -> Iterator[Row]:
    for n in range(size.insiders):
        yield f"per_{n:020x}", f"Insider {n}", f"{n}@example.org", "2026-01-01 00:00:00"


def _interests(size: Size) -> Iterator[Row]:
    """One an insider, every fifth in a fund; two in three by LEI, the others by name, one in fifty
    of those misspelt."""
    chance = np.random.default_rng(SEED + 1)
    kinds = list(InterestKind)
    for n, organisation in enumerate(chance.integers(1, size.organisations + 1, size.insiders)):
        number = int(organisation)
        if n % 5 == 1:
            number = number % size.hubs * (size.organisations // size.hubs) + 7
        called = name(number).replace("a", "aa", 1) if n % 150 == 0 else name(number)
        code = None if n % 3 == 0 else lei(number)
        person, kind = f"per_{n:020x}", str(kinds[n % len(kinds)])
        yield (f"int_{n:020x}", person, called, code, kind, "2020-01-01", "-", "x",
               "2026-01-01 00:00:00")  # fmt: skip


def partners(size: Size, count: int) -> list[int]:
    """Organisations that ask: some owned deep in a group, some heads of one, some anywhere."""
    chance = np.random.default_rng(SEED + 2)
    drawn = chance.integers(31, size.organisations - 30, count)
    return [int(n) // 30 * 30 + 1 if i % 3 == 0 else int(n) for i, n in enumerate(drawn)]
