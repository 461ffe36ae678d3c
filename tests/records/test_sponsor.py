"""The sponsor never decides, however the partner wrote the name (I3)."""

from pathlib import Path

import pytest

from sharing.errors import NotEligible
from sharing.records import parties
from sharing.records.database import Database
from sharing.stages import Role, Stage
from tests.records.desk import at_desk


async def hired(database: Database, name: str, address: str) -> str:
    """Somebody new who reviews purposes."""
    roles = [Role.PURPOSE_REVIEWER]
    return await database.write(lambda u: parties.add_person(u.session, name, address, roles).id)


async def test_a_sponsor_who_comes_on_record_later_never_decides(
    database: Database, tmp_path: Path
) -> None:
    """An e-mail address that nobody had when the request came is the sponsor's all the same."""
    desk = await at_desk(database, tmp_path)
    request, digest = await desk.submitted(sponsor="New.Hire@Example.org")
    await desk.opened(request, digest, Stage.PURPOSE_REVIEW)
    who = await hired(database, "Somebody", "new.hire@example.org")
    with pytest.raises(NotEligible) as refused:
        await desk.decided(request, digest, Stage.PURPOSE_REVIEW, actor=who)
    assert refused.value.why == "sponsor"


@pytest.mark.parametrize("written", ["New Hire", " new hire "])
async def test_a_sponsor_who_is_named_by_name_never_decides(
    database: Database, tmp_path: Path, written: str
) -> None:
    """Whoever is called as the partner wrote decides nothing, each of two of that name."""
    desk = await at_desk(database, tmp_path)
    request, digest = await desk.submitted(sponsor=written)
    await desk.opened(request, digest, Stage.PURPOSE_REVIEW)
    for address in ("one@example.org", "two@example.org"):
        who = await hired(database, "New Hire", address)
        with pytest.raises(NotEligible) as refused:
            await desk.decided(request, digest, Stage.PURPOSE_REVIEW, actor=who)
        assert refused.value.why == "sponsor"
