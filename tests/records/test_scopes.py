"""Scopes counted over the ledger against a recount in plain SQL."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from sharing.consent import Coverage
from sharing.export.plan import Bounds, cut
from sharing.export.select import choose
from sharing.purpose import CATEGORIES, PURPOSES, Term
from sharing.records import scopes
from sharing.records.database import Database
from sharing.records.exports import ExportShard
from sharing.records.tables import now
from sharing.stages import Exclusion
from tests.records.shelf import Shelf, scope, shelf
from tests.walk import CATEGORY, PURPOSE

# Who spoke of this purpose and category: for a yes the same or a wider word, for a no a narrower
# one too. The last of these events stands for its subject.
RECOUNT = """
WITH relevant AS (
  SELECT e.*, ROW_NUMBER() OVER (PARTITION BY subject ORDER BY at DESC, position DESC) AS nth
  FROM consent_event e
  WHERE recipient IN ('*', :partner)
  AND ((action = 'given' AND purpose IN ({wide_p}) AND category IN ({wide_c}))
    OR (action <> 'given' AND purpose IN ({near_p}) AND category IN ({near_c})))
), standing AS (
  SELECT subject, CASE
    WHEN action <> 'given' THEN action
    WHEN valid_until IS NOT NULL AND valid_until <= :at THEN 'expired'
    WHEN NOT explicit THEN 'not_explicit'
    WHEN notice <> 'privacy' THEN 'old_notice'
    WHEN COALESCE((SELECT p.jurisdiction FROM consent_event p
      WHERE p.subject = relevant.subject AND p.jurisdiction IS NOT NULL
      ORDER BY p.at DESC, p.position DESC LIMIT 1), 'nowhere') <> 'CA' THEN 'jurisdiction'
    ELSE 'covered' END AS answer
  FROM relevant WHERE nth = 1
), scope AS (
  SELECT subject FROM dataset_object
  WHERE taken_at >= :after AND taken_at < :before ORDER BY position LIMIT :limit
)
SELECT COALESCE(standing.answer, CASE
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject)
      THEN 'never_asked'
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject
      AND e.purpose IN ({wide_p})) THEN 'wrong_purpose'
    WHEN NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.subject = scope.subject
      AND e.purpose IN ({wide_p}) AND e.category IN ({wide_c})) THEN 'wrong_category'
    ELSE 'wrong_recipient' END) AS answer,
  COUNT(*), COUNT(DISTINCT scope.subject)
FROM scope LEFT JOIN standing ON standing.subject = scope.subject GROUP BY 1
"""


def wide(vocabulary: dict[str, Term], word: str) -> set[str]:
    """A word and all above it."""
    parent = vocabulary[word].parent
    return {word} | (wide(vocabulary, parent) if parent else set())


def near(vocabulary: dict[str, Term], word: str) -> set[str]:
    """A word, all above it and all below it."""
    return wide(vocabulary, word) | {w for w in vocabulary if word in wide(vocabulary, w)}


def listed(words: set[str]) -> str:
    """Words as SQL has them."""
    return ", ".join(f"'{word}'" for word in sorted(words))


def recounted(session: Session, *, partner: str, limit: int, after: datetime, before: datetime
              ) -> dict[str, tuple[int, int]]:  # fmt: skip
    """Objects and subjects by answer, counted by the database alone."""
    purposes, categories = dict(PURPOSES), dict(CATEGORIES)
    query = RECOUNT.format(
        wide_p=listed(wide(purposes, PURPOSE)),
        wide_c=listed(wide(categories, CATEGORY)),
        near_p=listed(near(purposes, PURPOSE)),
        near_c=listed(near(categories, CATEGORY)),
    )
    moments = {"at": now(), "after": after, "before": before}
    if session.get_bind().dialect.name == "sqlite":
        moments = {n: m.strftime("%Y-%m-%d %H:%M:%S.%f") for n, m in moments.items()}  # type: ignore[misc]
    rows = session.execute(text(query), {"partner": partner, "limit": limit, **moments})
    return {answer: (objects, subjects) for answer, objects, subjects in rows}


@pytest.mark.parametrize(
    ("limit", "where"),
    [
        (1000, {}),
        (50, {}),
        (1000, {"taken_after": "2020-03-01"}),
        (1000, {"taken_before": "2020-03-01"}),
        (30, {"taken_after": "2020-02-01", "taken_before": "2020-05-01T12:00:00Z"}),
    ],
)
async def test_coverage_is_what_sql_counts(
    database: Database, tmp_path: Path, limit: int, where: dict[str, str]
) -> None:
    """A scope's coverage, reason by reason, is what a recount in plain SQL finds, under every kind
    of limit and filter; and the shards together choose exactly that."""
    there = await shelf(database, tmp_path, scope(limit, **where), seed=limit + len(where))
    counted: Coverage = await there.look(lambda s, request, _: scopes.coverage(s, request))

    def recount(session: Session, *_: Any) -> dict[str, tuple[int, int]]:
        after = datetime.fromisoformat(where.get("taken_after", "1900-01-01")).replace(tzinfo=UTC)
        before = datetime.fromisoformat(where.get("taken_before", "2900-01-01")).replace(tzinfo=UTC)
        return recounted(session, partner=there.desk.world.partner, limit=limit, after=after,
                         before=before)  # fmt: skip

    found = await there.look(recount)
    covered = found.pop("covered")
    assert (counted.covered_objects, counted.covered_subjects) == covered
    assert counted.excluded == {reason: objects for reason, (objects, _) in found.items()}
    assert counted.subjects == covered[1] + sum(subjects for _, subjects in found.values())
    assert counted.objects == covered[0] + sum(counted.excluded.values()) <= limit
    assert await chosen(there) == (counted.covered_objects, counted.excluded)


async def chosen(there: Shelf) -> tuple[int, dict[str, int]]:
    """What all shards together let through and leave out."""

    def all_shards(session: Session, request: Any, revision: Any) -> tuple[int, dict[str, int]]:
        through, out = 0, dict[str, int]()
        for piece in cut(scopes.sizes(session, revision), Bounds(7, 10**9)):
            shard = ExportShard(export_id="x", number=0, first=piece.first, last=piece.last)
            part = choose(session, request, revision, shard, now())
            through += len(part.candidates)
            for reason, objects in part.excluded.items():
                out[reason] = out.get(reason, 0) + objects
        return through, out

    found: tuple[int, dict[str, int]] = await there.look(all_shards)
    return found


async def test_every_reason_occurs(database: Database, tmp_path: Path) -> None:
    """The random ledger holds every reason that a ledger can give: the recount above leaves none
    untried."""
    there = await shelf(database, tmp_path, scope(), seed=1000)
    counted: Coverage = await there.look(lambda s, request, _: scopes.coverage(s, request))
    assert set(counted.excluded) == set(Exclusion) - {Exclusion.UNREADABLE}
