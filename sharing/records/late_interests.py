"""What follows, in one transaction, when an interest becomes known: recusals on what is still open,
decisions that no longer count, exports that stop, and a mark on what has gone out already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from sharing.conflict import Interest, Match
from sharing.errors import NotFound, Refused
from sharing.records import decisions, exports, hands, heads, interests, people_left, requests
from sharing.records.accounts import accounts
from sharing.records.exports import Release
from sharing.records.interests import Recusal
from sharing.records.requests import Decision, Request
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATES, ExportState, Outcome, Stage


class InterestLook(SQLModel, table=True):
    """A conflict officer has looked at an interest that was found after the release."""

    __tablename__ = "interest_look"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "person_id", "interest_id"],
            ["recusal.request_id", "recusal.person_id", "recusal.interest_id"],
            name="fk_interest_look_recusal",
        ),
        CheckConstraint("length(note) > 0", name="note"),
    )
    request_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    interest_id: str = Field(primary_key=True)
    seen_by: str = Field(foreign_key="person.id")
    note: str
    at: datetime


@dataclass(slots=True)
class Followed:
    """What came of it: who is now recused from which request, decisions that no longer count,
    released requests that a conflict officer has to look at, and requests whose process has to
    hear of it."""

    recused: list[tuple[str, str]] = field(default_factory=list)  # request, person
    voided: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def follow(unit: Unit, interest: Interest, by: str) -> Followed:
    """Everything that follows from one interest, on every request to which it leads."""
    # One look-up where nothing is open, and nothing has gone out: this is asked of every interest.
    asked = unit.ask(interests.concerned)
    if not asked:
        return Followed()
    _in_turn(unit)
    return _follow(unit, interests.leading(unit.session, asked, interest), by)


def follow_all(unit: Unit, by: str) -> Followed:
    """The same for all interests at once, when more is known of who owns whom."""
    asked = interests.concerned(unit.session.connection())
    if not asked:
        return Followed()
    _in_turn(unit)
    return _follow(unit, interests.leading(unit.session, asked), by)


def _in_turn(unit: Unit) -> None:
    """An interest and an owner that become known at once: whoever comes second sees the first, and
    so one of the two finds what only both of them show."""
    heads.position(unit.session.connection(), "organisation", hold=True)


def _follow(unit: Unit, leads: Mapping[str, Sequence[Match]], by: str) -> Followed:
    followed = Followed()
    for request_id, found in leads.items():
        if found:
            request = requests.get(unit.session, request_id, hold=True)
            found_on(unit, request, found, by, followed)
    return followed


def found_on(
    unit: Unit, request: Request, found: Iterable[Match], by: str, followed: Followed | None = None
) -> Followed:
    """The same for interests that were found on one request, which the caller holds."""
    followed = followed or Followed()
    matches = interests.not_known(unit.session, request.id, found)
    if not matches:
        return followed
    waits = _waits_for_somebody(unit.session, request)
    held = [(match.interest.person_id, match.interest.id) for match in matches]
    lifted = interests.lifted(unit.session, request.id)
    ids = dict(pair for pair in held if pair not in lifted)
    newly = set(interests.recuse(unit.session, request.id, matches))
    for person in sorted(newly & ids.keys()):
        told = {"person": person, "interest": ids[person]}
        unit.audit(by, "person.recused", request.id, **told)
        unit.tell("person.recused", person, request_id=request.id, interest=ids[person])
        followed.recused.append((request.id, person))
        _stand_back(unit, request, person, ids[person], by, followed)
    if waits is not None and not people_left.anybody(unit.session, request, waits):
        people_left.tell(unit, request, waits)
    return followed


def _waits_for_somebody(session: Session, request: Request) -> Stage | None:
    """The gate at which there is somebody who may decide, if one is open."""
    gate = requests.open_gate(session, request) if request.waiting_stage else None
    if gate is None or not people_left.anybody(session, request, Stage(gate.stage)):
        return None
    return Stage(gate.stage)


def _stand_back(
    unit: Unit, request: Request, person: str, interest: str, by: str, followed: Followed
) -> None:
    everywhere = accounts(unit.session, person)
    if released(unit.session, request):
        told = {"person": person, "interest": interest}
        unit.audit(by, "interest.found_late", request.id, **told)
        unit.tell("interest.found_late", request.id, request_id=request.id, **told)
        followed.marked.append(request.id)
        return
    taken = approvals(unit.session, request, everywhere)
    voided = decisions.undo(unit, request, taken, decisions.INTEREST, by, interest)
    followed.voided += voided
    if _stopped(unit, request, everywhere, by) or voided:
        followed.changed.append(request.id)


def approvals(session: Session, request: Request, people: Iterable[str]) -> list[Decision]:
    """The approvals of the current digest that count and are by, or for, one of these."""
    among = frozenset(people)
    counted = [one for one in requests.counted(session, request) if one.outcome == Outcome.APPROVED]
    behind = hands.acted_for(session, counted)
    return [taken for taken in counted if {taken.actor_id, behind.get(taken.id)} & among]


def _stopped(unit: Unit, request: Request, people: frozenset[str], by: str) -> bool:
    """Stops an export that one of these triggered or confirmed. Another engineer may start it."""
    export = exports.live(unit.session, request.id, request.digest)
    if export is None or not {export.triggered_by, export.confirmed_by} & people:
        return False
    waiting = export.state == ExportState.AWAITING_CONFIRMATION
    detail = "Who triggered or confirmed it has an interest in the partner."
    exports.stop(export, ExportState.CANCELLED, exports.ENGINEER_RECUSED, detail)
    unit.audit(by, "export.cancelled", request.id, export=export.id, code=exports.ENGINEER_RECUSED)
    unit.tell(
        "export.cancelled", export.id, partner_id=request.partner_id, request_id=request.id,
        code="export_cancelled",
    )  # fmt: skip
    if waiting:  # a run that has begun ends by itself, and gives the request back then
        exports.back_to_cleared(unit.session, request)
    return True


def released(session: Session, request: Request) -> bool:
    """True once anything of a request has left."""
    return (
        session.exec(select(Release.export_id).where(Release.request_id == request.id)).first()
        is not None
    )


def late(session: Session, request_id: str) -> list[Recusal]:
    """Recusals from a request that came after its release."""
    return list(
        session.exec(
            select(Recusal)
            .join(Release, col(Release.request_id) == Recusal.request_id)
            .where(Recusal.request_id == request_id, col(Recusal.at) >= Release.released_at)
            .order_by(col(Recusal.at), Recusal.person_id)
        )
    )


def acted_at(session: Session, request_id: str, person_id: str) -> list[Stage]:
    """Where a person took part in a request, by whichever account: gates, and `export`."""
    people = accounts(session, person_id)
    decided = {d.stage for d in requests.decisions_of(session, request_id) if d.actor_id in people}
    runs = exports.of_request(session, request_id)
    ran = any({run.triggered_by, run.confirmed_by} & people for run in runs)
    return [stage for stage in GATES if stage in decided] + ([Stage.EXPORT] if ran else [])


def looks(session: Session, request_id: str) -> dict[tuple[str, str], InterestLook]:
    """What was said of a request's late interests, by person and interest."""
    rows = session.exec(select(InterestLook).where(InterestLook.request_id == request_id))
    return {(row.person_id, row.interest_id): row for row in rows}


def unseen_ids(session: Session) -> list[str]:
    """Released requests with a late interest that no conflict officer has looked at."""
    seen = select(InterestLook.interest_id).where(
        InterestLook.request_id == Recusal.request_id,
        InterestLook.person_id == Recusal.person_id,
        InterestLook.interest_id == Recusal.interest_id,
    )
    rows = session.exec(
        select(Recusal.request_id)
        .join(Release, col(Release.request_id) == Recusal.request_id)
        .where(col(Recusal.at) >= Release.released_at, ~seen.exists())
        .distinct()
    )
    return list(rows)


def look(unit: Unit, request: Request, interest_id: str, note: str, by: str) -> InterestLook:
    """A conflict officer says what they make of a late interest; once, and for good."""
    one = next((r for r in late(unit.session, request.id) if r.interest_id == interest_id), None)
    if one is None:
        raise NotFound("late interest", interest_id)
    key = (request.id, one.person_id, interest_id)
    if unit.session.get(InterestLook, key) is not None:
        raise Refused("wrong_state", "Somebody has looked at this interest already.")
    row = InterestLook(
        request_id=request.id,
        person_id=one.person_id,
        interest_id=interest_id,
        seen_by=by,
        note=note,
        at=now(),
    )
    unit.session.add(row)
    unit.session.flush()
    told = {"person": one.person_id, "interest": interest_id}
    unit.audit(by, "interest.looked_at", request.id, **told)
    unit.tell("interest.looked_at", request.id, request_id=request.id, **told)
    return row
