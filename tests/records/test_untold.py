"""What failing statements say: nothing about the people in them (I25)."""

import traceback
from pathlib import Path

from sharing.errors import Refused
from sharing.records import datasets
from sharing.records.database import Database
from tests.records.desk import at_desk

CANARY = "canary.jane.doe"


async def test_errors_carry_no_values_of_rows(database: Database, tmp_path: Path) -> None:
    """A row that the database will not take is in no line of what is logged about that."""
    desk = await at_desk(database, tmp_path)
    taken = {
        "dataset_id": desk.world.dataset,
        "index_version": 1,
        "position": 0,
        "path": f"{CANARY}/1.jpg",
        "subject": CANARY,
        "bytes": 1,
        "modified_ns": 0,
        "media_type": "image/jpeg",
        "taken_at": None,
    }
    said = ""
    try:
        await database.write(lambda u: datasets.append_objects(u.session, [taken]))
    except Refused:
        said = traceback.format_exc()
    assert "INSERT INTO dataset_object" in said
    assert CANARY not in said
