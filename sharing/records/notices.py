"""Notices: what people were told, version by version."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select, tuple_

from sharing.notice import Comparison, comparisons, open_questions, overtaken
from sharing.promise import Promise, Promised
from sharing.purpose import NoticeTerms
from sharing.records import heads
from sharing.records.tables import new_id, now
from sharing.vocabulary import CATEGORIES, covers

UNSAID = "und"  # BCP 47: the language of a notice from before languages were asked for
_TICK = timedelta(microseconds=1)


class Notice(SQLModel, table=True):
    """One version of a notice; never changed once given."""

    __tablename__ = "notice"
    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    text: str
    text_sha256: str
    purposes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    categories: list[str] = Field(sa_column=Column(JSON, nullable=False))
    promises: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    in_force_from: date | None = None
    in_force_until: date | None = None
    created_at: datetime


class NoticeText(SQLModel, table=True):
    """The words of a notice in one language, as they were shown."""

    __tablename__ = "notice_text"
    __table_args__ = (
        ForeignKeyConstraint(
            ["name", "version"], ["notice.name", "notice.version"], name="fk_notice_text_notice"
        ),
    )
    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    text: str
    text_sha256: str


class NoticeCompatibility(SQLModel, table=True):
    """A person's decision whether consents under an older version of a notice still stand beside a
    newer one. The latest decision on a pair counts."""

    __tablename__ = "notice_compatibility"
    __table_args__ = (
        ForeignKeyConstraint(
            ["name", "older"], ["notice.name", "notice.version"], name="fk_compatibility_older"
        ),
        ForeignKeyConstraint(
            ["name", "newer"], ["notice.name", "notice.version"], name="fk_compatibility_newer"
        ),
    )
    id: str = Field(primary_key=True)
    name: str
    older: str
    newer: str
    compatible: bool
    reason: str
    decided_by: str = Field(foreign_key="person.id")
    decided_at: datetime


def add(
    session: Session,
    name: str,
    version: str,
    text: str,
    purposes: Sequence[str],
    categories: Sequence[str],
    language: str = "en",
    texts: Mapping[str, str] | None = None,
    promises: Sequence[str] = (),
    in_force_from: date | None = None,
    in_force_until: date | None = None,
) -> Notice:
    """A new version of a notice; `texts` are its words in other languages. All are hashed."""
    at = _after(session, select(func.max(Notice.created_at)).where(Notice.name == name))
    notice = Notice(
        name=name,
        version=version,
        text=text,
        purposes=list(purposes),
        text_sha256=_sha256(text),
        categories=list(categories),
        promises=[str(promise) for promise in promises] or None,
        in_force_from=in_force_from,
        in_force_until=in_force_until,
        created_at=at,
    )
    session.add(notice)
    session.flush()
    session.add_all(
        NoticeText(name=name, version=version, language=tag, text=said, text_sha256=_sha256(said))
        for tag, said in {**(texts or {}), language: text}.items()
    )
    return notice


def decide(
    session: Session,
    name: str,
    older: str,
    newer: str,
    compatible: bool,
    reason: str,
    decided_by: str,
) -> NoticeCompatibility:
    """A person's word on two versions of a notice that are on record; the latest one counts."""
    pair = (
        NoticeCompatibility.name == name,
        NoticeCompatibility.older == older,
        NoticeCompatibility.newer == newer,
    )
    decision = NoticeCompatibility(
        id=new_id("cmp"),
        name=name,
        older=older,
        newer=newer,
        compatible=compatible,
        reason=reason,
        decided_by=decided_by,
        decided_at=_after(session, select(func.max(NoticeCompatibility.decided_at)).where(*pair)),
    )
    session.add(decision)
    return decision


def _after(session: Session, latest: Any) -> datetime:
    """This moment, or just behind the latest one found: then their order is never in doubt. Holds
    the consent ledger, so that a release sees each change of terms before it or not at all."""
    heads.position(session.connection(), "consent", hold=True)
    last: datetime | None = session.scalar(latest)
    return now() if last is None else max(now(), last + _TICK)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def terms(session: Session, at: datetime | None = None) -> Mapping[tuple[str, str], NoticeTerms]:
    """Every notice's purposes and categories, and whether it stands, by name and version; as of
    now, or of a moment."""
    return _terms(session, at)[0]


def _terms(
    session: Session, at: datetime | None = None
) -> tuple[Mapping[tuple[str, str], NoticeTerms], list[Comparison]]:
    """Both what notices say and how their versions compare, read once."""
    rows = session.execute(
        _until(
            select(Notice.name, Notice.version, Notice.purposes, Notice.categories),
            Notice.created_at,
            at,
        ).order_by(col(Notice.created_at))
    ).all()
    pairs = _compared([(row[0], row[1]) for row in rows], decisions(session, at))
    fallen = overtaken(pairs)
    known = {
        (name, version): NoticeTerms(
            name, version, tuple(purposes), tuple(categories), (name, version) not in fallen
        )
        for name, version, purposes, categories in rows
    }
    return dict(sorted(known.items())), pairs


def promised(session: Session) -> list[Promised]:
    """Every version of a notice that promised something, with the days it was in force."""
    statement = select(Notice).where(col(Notice.promises).is_not(None))
    return [
        Promised(
            notice.name,
            notice.version,
            tuple(notice.purposes),
            tuple(notice.categories),
            tuple(Promise(promise) for promise in notice.promises or ()),
            notice.in_force_from,
            notice.in_force_until,
        )
        for notice in session.exec(statement.order_by(Notice.name, Notice.version))
    ]


def compared(
    session: Session, at: datetime | None = None, name: str | None = None
) -> list[Comparison]:
    """Every older version beside every newer one, of one notice or of all."""
    versions = select(Notice.name, Notice.version).order_by(col(Notice.created_at))
    if name is not None:
        versions = versions.where(Notice.name == name)
    given = session.execute(_until(versions, Notice.created_at, at))
    return _compared([(row[0], row[1]) for row in given], decisions(session, at, name))


def _compared(
    given: Sequence[tuple[str, str]], decided: Sequence[NoticeCompatibility]
) -> list[Comparison]:
    latest = {(d.name, d.older, d.newer): d.compatible for d in decided}
    return list(comparisons(given, latest))


def decisions(
    session: Session, at: datetime | None = None, name: str | None = None
) -> list[NoticeCompatibility]:
    """What people decided of pairs of versions, oldest first; of one notice or of all."""
    statement = select(NoticeCompatibility).order_by(col(NoticeCompatibility.decided_at))
    if name is not None:
        statement = statement.where(NoticeCompatibility.name == name)
    return list(session.scalars(_until(statement, NoticeCompatibility.decided_at, at)))


def undecided(session: Session, purpose: str, category: str) -> list[Comparison]:
    """Pairs that a person should decide, whose older version names the purpose and category."""
    known, pairs = _terms(session)
    return [
        pair
        for pair in open_questions(pairs)
        if known[pair.name, pair.older].names(purpose, category)
    ]


def telling(session: Session, category: str, purposes: Sequence[str]) -> list[NoticeTerms]:
    """Every version that speaks of a data category (and of one of the purposes, where any are
    given), those first that still stand."""
    found = [
        one
        for one in terms(session).values()
        if any(covers(CATEGORIES, told, category) for told in one.categories)
        and (not purposes or any(one.names(purpose, category) for purpose in purposes))
    ]
    return sorted(found, key=lambda one: not one.stands)


def texts(
    session: Session, versions: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, NoticeText]]:
    """The words of notices in each language, by name and version."""
    wanted = list(versions)
    found: dict[tuple[str, str], dict[str, NoticeText]] = {version: {} for version in wanted}
    place = tuple_(NoticeText.name, NoticeText.version)
    for row in session.exec(
        select(NoticeText).where(place.in_(wanted)).order_by(NoticeText.language)
    ):
        found[row.name, row.version][row.language] = row
    return found


def language_of(notice: Notice, texts: Mapping[str, NoticeText]) -> str:
    """The language in which the notice's own text is."""
    return next((tag for tag, said in texts.items() if said.text == notice.text), UNSAID)


def _until(statement: Any, moment: Any, at: datetime | None) -> Any:
    return statement if at is None else statement.where(moment <= at)
