"""The graph as it is recorded, for the search that goes outwards in it."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlmodel import Session

from sharing.ownership import Edge
from sharing.records.organisations import chunks

_SIZE = 2_000  # numbers in one statement: they are written out, so no driver's limit is met


class RecordedGraph:
    """Who owns whom on a day. An edge counts until its last day, also before its first: who buys
    next month gains from what is decided today."""

    def __init__(self, session: Session, day: date) -> None:
        self._connection = session.connection()
        self._counts = f"(until IS NULL OR until >= '{day.isoformat()}')"

    def owners(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these are owned, by the owned."""
        return self._edges("owned_id", numbers)

    def owned(self, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges by which these own others, by the owner."""
        return self._edges("owner_id", numbers)

    def large(self, numbers: Collection[int], above: int) -> set[int]:
        """Those of these that own more than `above` others."""
        found: set[int] = set()
        for chunk in chunks(sorted(numbers), _SIZE):
            rows = self._connection.exec_driver_sql(
                f"SELECT owner_id FROM organisation_edge WHERE owner_id IN ({_list(chunk)}) "  # noqa: S608
                f"AND {self._counts} GROUP BY owner_id HAVING count(*) > {int(above)}"
            )
            found.update(row[0] for row in rows)
        return found

    def twins(self, numbers: Collection[int]) -> Mapping[int, list[int]]:
        """Others under the same name, where one of the two has no LEI."""
        found: dict[int, list[int]] = {}
        for chunk in chunks(sorted(numbers), _SIZE):
            for left, right in self._connection.exec_driver_sql(
                "SELECT left_id, right_id FROM organisation_twin "  # noqa: S608
                f"WHERE left_id IN ({_list(chunk)}) ORDER BY left_id, right_id"
            ):
                found.setdefault(left, []).append(right)
        return found

    def _edges(self, end: str, numbers: Collection[int]) -> Mapping[int, list[Edge]]:
        """The edges at one of their two ends, in one order on every database."""
        found: dict[int, list[Edge]] = {}
        place = 0 if end == "owner_id" else 1
        for chunk in chunks(sorted(numbers), _SIZE):
            for row in self._connection.exec_driver_sql(
                "SELECT owner_id, owned_id, kind, share FROM organisation_edge "  # noqa: S608
                f"WHERE {end} IN ({_list(chunk)}) AND {self._counts}"
            ):
                found.setdefault(row[place], []).append(Edge(*row))
        for edges in found.values():
            edges.sort(key=_strongest_first)
        return found


def _strongest_first(edge: Edge) -> tuple[float, int, int, str]:
    return (-(edge.share or 0.0), edge.owner, edge.owned, edge.kind)


def _list(numbers: Collection[int]) -> str:
    return ",".join(str(int(number)) for number in numbers)
