"""The sponsor never decides, however the partner wrote the name (I3)."""

from pathlib import Path

import pytest

from sharing.errors import NotEligible
from sharing.records import parties
from sharing.records.database import Database
from sharing.stages import Role, Stage
from tests.records.desk import at_desk


async def test_a_sponsor_who_comes_on_record_later_never_decides(
    database: Database, tmp_path: Path
) -> None:
    """An e-mail address that nobody had when the request came is the sponsor's all the same."""
    desk = await at_desk(database, tmp_path)
    request, digest = await desk.submitted(sponsor="New.Hire@Example.org")
    await desk.opened(request, digest, Stage.PURPOSE_REVIEW)
    hired = await database.write(
        lambda u: (
            parties.add_person(
                u.session, "New hire", "new.hire@example.org", [Role.PURPOSE_REVIEWER]
            ).id
        )
    )
    with pytest.raises(NotEligible) as refused:
        await desk.decided(request, digest, Stage.PURPOSE_REVIEW, actor=hired)
    assert refused.value.why == "sponsor"
