"""The bench's ledger in PostgreSQL, under Clearance's own schema, and the joins that are its peers.

The peers count reasons only, and write nothing down. Each gets the memory and the statistics it
wants, and each must come to the very same counts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import numpy as np
from sqlalchemy import make_url
from sqlalchemy.engine import URL

from sharing.vocabulary import PURPOSES, covers
from tests.bench.consent_ledger import CATEGORY, NOW, PARTNER, PURPOSE, Made, distinct, name
from tests.bench.consent_ledger import question as asked
from tests.bench.report import PeerMissing
from tests.databases import HOW_TO_GET_POSTGRESQL, PostgreSQLTemplate, postgresql_server

DATASET = "dst_bench"
_EPOCH = "TIMESTAMPTZ 'epoch'"
_STAGED = """CREATE UNLOGGED TABLE staged
  (position bigint, subject integer, statement integer, at bigint, until bigint)"""
_SAID = """CREATE TABLE said AS SELECT number, terms::json AS t FROM consent_statement"""
_EVENTS = f"""INSERT INTO consent_event (position, subject, purpose, category, recipient, action,
    explicit, notice, notice_version, method, jurisdiction, minor, at, valid_until, source,
    recorded_at)
  SELECT e.position, s.name, t->>0, t->>1, t->>2, t->>3, (t->>4)::boolean, t->>5, t->>6, t->>7,
    t->>8, (t->>9)::boolean, {_EPOCH} + e.at * INTERVAL '1 microsecond',
    CASE WHEN e.until < 9223372036854775807 THEN {_EPOCH} + e.until * INTERVAL '1 microsecond' END,
    'bench', $1
  FROM staged e JOIN subject s ON s.number = e.subject JOIN said ON said.number = e.statement
  ORDER BY e.position"""
_OBJECTS = """INSERT INTO dataset_object (dataset_id, index_version, position, path, subject, bytes,
    modified_ns, media_type)
  SELECT $1, 1, o.position, o.position || '.jpg', s.name, 1, 0, 'image/jpeg'
  FROM staged o JOIN subject s ON s.number = o.subject ORDER BY o.position"""
_DATASET = """INSERT INTO dataset (id, name, location, category, special_category, subject_from,
    index_version, objects, subjects, bytes, created_at)
  VALUES ($1, 'bench', 'x', $2, true, 'x', 1, 0, 0, 0, $3)"""
# What stands for each subject, by the same rule: the ledger asked in one go.
_STANDING = """SELECT k.subject, COALESCE(l.action, 'wrong_purpose') AS action, l.explicit,
    l.notice, l.notice_version, l.valid_until, p.jurisdiction
  FROM (SELECT DISTINCT subject FROM consent_event) k
  LEFT JOIN (SELECT DISTINCT ON (subject) * FROM consent_event
    WHERE purpose IN ({purposes}) ORDER BY subject, at DESC, position DESC) l USING (subject)
  LEFT JOIN (SELECT DISTINCT ON (subject) subject, jurisdiction FROM consent_event
    WHERE jurisdiction IS NOT NULL ORDER BY subject, at DESC, position DESC) p USING (subject)"""
_JOIN = """SELECT CASE
    WHEN c.subject IS NULL THEN 'never_asked'
    WHEN c.action <> 'given' THEN c.action
    WHEN c.valid_until <= $2 THEN 'expired'
    WHEN NOT c.explicit THEN 'not_explicit'
    WHEN c.notice <> 'privacy' OR c.notice_version <> '2' THEN 'old_notice'
    WHEN c.jurisdiction IS NULL OR c.jurisdiction NOT IN ({places}) THEN 'jurisdiction'
    ELSE 'covered' END AS reason, COUNT(*)
  FROM dataset_object o LEFT JOIN {standing} c ON c.subject = o.subject
  WHERE o.dataset_id = $1 AND o.index_version = 1 GROUP BY 1"""


class Joins:
    """A database that holds the ledger, and the joins over it."""

    def __init__(self, url: str, connection: asyncpg.Connection) -> None:
        self.url = url
        self.connection = connection

    async def fill(self, made: Made) -> None:
        """Writes the ledger, its checkpoints, and a dataset of an object a subject, in an order of
        its own; then the projection."""
        run = self.connection.execute
        await self.connection.copy_records_to_table(
            "subject", records=((number, name(number)) for number in range(made.subjects))
        )
        await self._statements()
        await run(_STAGED)
        await run(_SAID)
        for page in made.pages():
            places = range(page.first, page.last + 1)
            columns = (page.subject, page.statement, page.at, page.until)
            await self.connection.copy_records_to_table(
                "staged", records=zip(places, *(c.tolist() for c in columns), strict=True)
            )
        await self._without_indexes("consent_event", _EVENTS, NOW)
        await self._checkpoints(made)
        await self._objects(made.subjects)
        await run(f"CREATE TABLE consent_now AS {standing()}")
        await run("ALTER TABLE consent_now ADD PRIMARY KEY (subject)")
        await run("DROP TABLE staged, said")
        await run("VACUUM ANALYZE")

    async def _statements(self) -> None:
        import json

        await self.connection.copy_records_to_table(
            "consent_statement",
            records=[
                (number, json.dumps(terms, separators=(",", ":")))
                for number, terms in enumerate(distinct())
            ],
        )

    async def _checkpoints(self, made: Made) -> None:
        names = ["last", "first", "previous", "events_sha256", "columns", "hash", "at"]
        for found in made.checkpoints():
            rows = [tuple(getattr(one, column) for column in names) for one in found]
            await self.connection.copy_records_to_table(
                "consent_checkpoint", records=rows, columns=names
            )
        for head, position in (
            ("consent", made.events),
            ("subject", made.subjects),
            ("statement", len(distinct())),
        ):
            await self.connection.execute(
                "UPDATE head SET position = $1 WHERE name = $2", position, head
            )

    async def _without_indexes(self, table: str, statement: str, *given: object) -> None:
        """Fills a table, and makes the indexes that it had afterwards: much the faster way."""
        run = self.connection.execute
        indexes = await self.connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            table,
        )
        for index in indexes:
            await run(f"DROP INDEX {index['indexname']}")
        await run(statement, *given)
        for index in indexes:
            await run(index["indexdef"])

    async def _objects(self, subjects: int) -> None:
        order = np.random.default_rng(3).permutation(subjects)
        await self.connection.execute("TRUNCATE staged")
        await self.connection.copy_records_to_table(
            "staged", records=enumerate(order.tolist()), columns=["position", "subject"]
        )
        await self.connection.execute(_DATASET, DATASET, CATEGORY, NOW)
        await self._without_indexes("dataset_object", _OBJECTS, DATASET)

    async def projection(self) -> dict[str, int]:
        """Objects by reason: one join on the projection."""
        return await self._counted("consent_now")

    async def ledger(self) -> dict[str, int]:
        """Objects by reason: one join on the ledger itself."""
        return await self._counted(f"({standing()})")

    async def _counted(self, table: str) -> dict[str, int]:
        query = _JOIN.format(standing=table, places=listed(allowed()))
        rows = await self.connection.fetch(query, DATASET, NOW)
        return {row[0]: row[1] for row in rows}

    async def rows(self, count: int) -> list[dict[str, Any]]:
        """What stands for the subjects of the first objects, in index order."""
        found = await self.connection.fetch(
            """SELECT o.subject, c.action, c.explicit, c.valid_until, c.jurisdiction,
                 c.notice || ' ' || c.notice_version AS notice
               FROM dataset_object o LEFT JOIN consent_now c ON c.subject = o.subject
               WHERE o.dataset_id = $1 AND o.index_version = 1 AND o.position < $2
               ORDER BY o.position""",
            DATASET,
            count,
        )
        return [dict(row) for row in found]


def standing() -> str:
    """What stands for each subject."""
    purposes = [purpose for purpose in PURPOSES if covers(PURPOSES, purpose, PURPOSE)]
    return _STANDING.format(purposes=listed(purposes))


def allowed() -> list[str]:
    """The jurisdictions of the bench from which explicit consent is enough."""
    rules, places = asked().rules, {terms[8] for terms in distinct()}
    return [
        place for place in places if isinstance(place, str) and rules.needs(place, asked()) <= 1
    ]


def listed(words: list[str]) -> str:
    """Words as SQL has them."""
    return ", ".join(f"'{word}'" for word in sorted(words))


@asynccontextmanager
async def joins(server: URL, made: Made) -> AsyncIterator[Joins]:
    """A filled database on a server, for as long as the block lasts."""
    import asyncio

    template = await asyncio.to_thread(PostgreSQLTemplate.migrated, server)
    url = template.url(template.name)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, command_timeout=None)
    try:
        await connection.execute("SET work_mem = '512MB'")
        there = Joins(url, connection)
        await there.fill(made)
        yield there
    finally:
        await connection.close()
        await asyncio.to_thread(template.drop, url)


def needed(server: URL | None) -> URL:
    """The server, or the error that says how to get one."""
    if server is None:
        raise PeerMissing(HOW_TO_GET_POSTGRESQL)
    return server


__all__ = ["DATASET", "PARTNER", "Joins", "joins", "needed", "postgresql_server"]
