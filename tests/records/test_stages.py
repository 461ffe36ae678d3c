"""Where an export's time went, as people inside see it."""

from sharing.export import runs
from sharing.export.pack import ShardResult
from sharing.records.export_views import export_view
from sharing.records.exports import Export, ExportShard
from tests.records.desk import Desk
from tests.records.exporting import Exporting, exporting


async def committed(there: Exporting, number: int, stages: dict[str, int]) -> None:
    """A shard that was packed in this time, and whose subjects were asked in half a second."""
    database = there.desk.database
    fenced = await database.write(lambda u: runs.take_shard(u, there.export, number))
    assert fenced is not None
    chosen = await database.read(lambda s: runs.choose(s, fenced))
    packed = ShardResult(number, (), 10, 4_000_000, "m", "x" * 64, (), stages)
    spent = {"select": 500_000}
    await database.write(lambda u: runs.commit_shard(u, fenced, chosen, packed, spent))


async def test_stages_add_up_over_shards(desk: Desk) -> None:
    """Each stage's time is the sum over the shards, an object, and a byte; what none of them spent
    is not told, and partners see none of it."""
    there = await exporting(desk)
    await there.planned(10)
    await committed(there, 0, {"read": 1_000_000, "hash": 2_000_000})
    await committed(there, 1, {"read": 3_000_000})
    inside, outside = [
        await desk.database.read(
            lambda s: export_view(s, s.get_one(Export, there.export), inside=inside)  # noqa: B023
        )
        for inside in (True, False)
    ]
    assert inside["stages"] == {
        "select": {"seconds": 1.0, "microseconds_an_object": 50_000.0, "bytes_a_second": 8_000_000},
        "read": {"seconds": 4.0, "microseconds_an_object": 200_000.0, "bytes_a_second": 2_000_000},
        "hash": {"seconds": 2.0, "microseconds_an_object": 100_000.0, "bytes_a_second": 4_000_000},
    }
    assert "stages" not in outside


async def test_what_is_made_again_counts_twice(desk: Desk) -> None:
    """The time of a shard that was made again is added to what it took before."""
    there = await exporting(desk)
    await there.planned(20)
    await committed(there, 0, {"read": 1_000_000})

    await desk.database.write(
        lambda u: setattr(u.session.get_one(ExportShard, (there.export, 0)), "result", None)
    )
    await committed(there, 0, {"read": 1_000_000})
    view = await desk.database.read(
        lambda s: export_view(s, s.get_one(Export, there.export), inside=True)
    )
    assert view["stages"]["read"]["seconds"] == 2.0
