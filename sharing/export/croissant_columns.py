"""The columns of a table as Croissant tells them: as JSON beside photographs, or as rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sharing.forms import Rule
from sharing.offered import Asked

# What is kept as it is counts as text, which a loader can make of anything.
_KINDS: Mapping[Rule, str] = {
    Rule.YEAR: "sc:Integer",
    Rule.DECADE: "sc:Integer",
    Rule.ROUND: "sc:Integer",
    Rule.COARSE: "sc:Float",
}


class Named(Protocol):
    """A file of the package."""

    @property
    def path(self) -> str: ...


def column_files(shards: Sequence[Named]) -> dict[str, Any]:
    """The files of JSON in tars."""
    return {
        "@type": "cr:FileSet",
        "@id": "columns",
        "name": "columns",
        "containedIn": [{"@id": file.path} for file in shards],
        "encodingFormat": "application/json",
        "includes": "*.json",
    }


def column_sets(
    columns: Sequence[Asked], shards: Sequence[Named], *, beside: bool
) -> list[dict[str, Any]]:
    """The records of columns: one set of them `beside` photographs, one set a file of rows."""
    if beside:
        source = {"fileSet": {"@id": "columns"}}
        return [_set("subjects", [_json_field("subjects", one, source) for one in columns])]
    found = []
    for file in shards:
        name = file.path.partition(".")[0]
        rows = [_row_field(name, one.name, one, file.path) for one in columns]
        keys = [_row_field(name, key, None, file.path) for key in ("object", "subject_pseudonym")]
        found.append({**_set(name, [*keys, *rows]), "key": {"@id": f"{name}/object"}})
    return found


def _set(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _json_field(of: str, field: Asked, source: Mapping[str, Any]) -> dict[str, Any]:
    extracted = {**source, "extract": {"jsonPath": f"$['{field.name}']"}}
    return _field(of, field.name, field, extracted)


def _row_field(of: str, name: str, field: Asked | None, path: str) -> dict[str, Any]:
    return _field(of, name, field, {"fileObject": {"@id": path}, "extract": {"column": name}})


def _field(of: str, name: str, field: Asked | None, source: Mapping[str, Any]) -> dict[str, Any]:
    told = f"{field.words}; {field.category}." if field else "As in the manifest."
    return {
        "@type": "cr:Field",
        "@id": f"{of}/{name}",
        "name": name,
        "description": told,
        "dataType": _KINDS.get(field.form.rule, "sc:Text") if field else "sc:Text",
        "source": dict(source),
    }
