"""What a dataset offers: its photographs, and the columns of its table in their forms.

A partner names what it asks for: `photo`, `country`, or `birthday:year` for one of several forms.
A name alone is the form that the dataset names first; a column that is kept as it is needs none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sharing.errors import FieldError
from sharing.forms import Form, Rule, form

PHOTO = "photo"
KEEP = Form(Rule.KEEP)
# Names that stand in a package beside the columns.
TAKEN = frozenset({PHOTO, "object", "subject_pseudonym"})
NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$"  # of a column


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a scope: the form that was asked for, and the category of what is in it."""

    name: str
    form: Form
    category: str

    def __str__(self) -> str:
        return self.name if self.form == KEEP else f"{self.name}:{self.form}"

    @property
    def words(self) -> str:
        """The field as a person reads it."""
        return self.name if self.name == PHOTO else f"{self.name} ({self.form.words})"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is declared: its category, and the forms it may be given in, the usual first.
    `drop` alone: it is there, and never leaves."""

    name: str
    category: str
    forms: tuple[Form, ...]

    @property
    def given(self) -> bool:
        """True if it may be asked for at all."""
        return self.forms[0].rule is not Rule.DROP


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset's table: Parquet at a `location` of the store, or the rows of a named `source` that
    the export worker knows; `subject` is the column that says whom a row is about."""

    subject: str
    columns: tuple[Column, ...]
    location: str | None = None
    source: str | None = None

    @property
    def read(self) -> tuple[Column, ...]:
        """The columns that are ever read: nothing else of the source is."""
        return tuple(column for column in self.columns if column.given)


@dataclass(frozen=True, slots=True)
class Offer:
    """All that may be asked of a dataset. `category` is that of the photographs."""

    photos: bool
    category: str
    table: Table | None = None

    def fields(self) -> dict[str, tuple[Form, ...]]:
        """Each field's forms by its name, in the order of the declaration."""
        found = {PHOTO: (KEEP,)} if self.photos else {}
        return found | {column.name: column.forms for column in self._given()}

    def categories(self) -> frozenset[str]:
        """The categories of all that may be asked for."""
        own = [self.category] if self.photos else []
        return frozenset([*own, *(column.category for column in self._given())])

    def asked(self, names: Sequence[str]) -> tuple[Asked, ...]:
        """The fields of a scope that `problems` finds nothing wrong with."""
        fields, categories = self.fields(), {c.name: c.category for c in self._given()}
        found = []
        for text in names:
            name, _, wanted = text.partition(":")
            chosen = form(wanted) if wanted else fields[name][0]
            found.append(Asked(name, chosen, categories.get(name, self.category)))
        return tuple(found)

    def problems(self, names: Sequence[str]) -> list[FieldError]:
        """What is wrong with the fields of a scope, each with the cure."""
        found = [
            FieldError(f"scope.fields.{i}", problem)
            for i, text in enumerate(names)
            if (problem := self._problem(text)) is not None
        ]
        plain = [text.partition(":")[0] for text in names]
        if len(set(plain)) != len(plain):
            found.append(FieldError("scope.fields", "a field is named twice; name each once."))
        return found

    def canonical(self, names: Sequence[str]) -> list[str]:
        """The same fields, each with its form: one way of writing a scope, one digest."""
        return [str(field) for field in self.asked(names)]

    def _given(self) -> tuple[Column, ...]:
        return self.table.read if self.table else ()

    def _problem(self, text: str) -> str | None:
        name, colon, wanted = text.partition(":")
        fields = self.fields()
        if name not in fields:
            if self.table and any(column.name == name for column in self.table.columns):
                return f"{name!r} is never given away. Use one of {', '.join(fields)}."
            close = get_close_matches(name, fields, n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            return f"{name!r} is not known. {hint}Use one of {', '.join(fields)}."
        offered = [str(one) for one in fields[name]]
        if colon and wanted not in offered:
            return f"{name!r} is not offered as {wanted!r}. Use one of {', '.join(offered)}."
        return None


PHOTOS = Offer(photos=True, category="pd:Picture")


def table_of(declared: Mapping[str, Any] | None) -> Table | None:
    """A table as it is kept as JSON."""
    if declared is None:
        return None
    columns = tuple(
        Column(one["name"], one["category"], tuple(form(text) for text in one["forms"]))
        for one in declared["columns"]
    )
    return Table(declared["subject"], columns, declared.get("location"), declared.get("source"))


def categories(fields: Iterable[Asked]) -> tuple[str, ...]:
    """The distinct categories of some fields, in the order in which they are asked about."""
    return tuple(dict.fromkeys(field.category for field in fields))


def columns_of(fields: Iterable[Asked]) -> tuple[Asked, ...]:
    """The fields that come from the table."""
    return tuple(field for field in fields if field.name != PHOTO)


def names_in_words(names: Iterable[str]) -> str:
    """The same of a scope's fields as they are written, each with its form."""
    named = [text.partition(":") for text in names]
    return in_words(Asked(name, form(said) if said else KEEP, "") for name, _, said in named)


def in_words(fields: Iterable[Asked]) -> str:
    """What is shared, for people."""
    return ", ".join(field.words for field in fields)
