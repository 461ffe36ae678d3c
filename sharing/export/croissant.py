"""MLCommons Croissant 1.1 metadata, so that a loader of datasets can open the shards."""

import json
from collections.abc import Sequence
from typing import Any, Protocol

from sharing.export.croissant_columns import column_files, column_sets
from sharing.export.minimise import EXTENSIONS
from sharing.offered import Asked, columns_of

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_COLUMNS = {
    "path": ("sc:Text", "The object's name inside its shard."),
    "shard": ("sc:Text", "The shard that holds the object."),
    "bytes": ("sc:Integer", "The object's size in bytes."),
    "sha256": ("sc:Text", "The object's SHA-256 in hexadecimal."),
    "subject_pseudonym": ("sc:Text", "Who the object is about, under a name for this partner."),
    "category": ("sc:Text", "The data category, a term of DPV's personal data vocabulary."),
    "consent_position": ("sc:Integer", "The entry of the consent ledger that allows the object."),
    "media_type": ("sc:Text", "The object's media type."),
}


class DeliveredFile(Protocol):
    """A file of the package."""

    @property
    def path(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


def described(
    *,
    title: str,
    purpose: str,
    export: str,
    agreement_digest: str,
    date: str,
    manifest_sha256: str,
    shards: Sequence[DeliveredFile],
    fields: Sequence[Asked] = (),
    photos: bool = True,
) -> bytes:
    """The JSON-LD document. `date` is YYYY-MM-DD; under age only the manifest can be loaded.
    `fields` are those of the scope; without `photos` the shards are Parquet."""
    columns = columns_of(fields)
    encrypted = any(file.path.endswith(".age") for file in shards)
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"clearance-export-{export}",
        "description": f"{title}. Shared for {purpose} only, under the agreement named as licence.",
        "license": f"urn:sha256:{agreement_digest}",
        "url": f"urn:clearance:export:{export}",
        "citeAs": f"Clearance export {export}, {date}",
        "creator": {"@type": "sc:Organization", "name": "Clearance"},
        "datePublished": date,
        "version": "1.0.0",
        "distribution": [
            _file("manifest.parquet", "application/x-parquet", manifest_sha256, None),
            *(
                _file(file.path, _media_type(file.path), file.sha256, f"{file.bytes} B")
                for file in shards
            ),
            *([] if encrypted or not shards else _file_sets(shards, fields, photos=photos)),
        ],
        "recordSet": [
            _record_set(),
            *([] if encrypted or not shards or not _has_photos(fields, photos) else [_images()]),
            *(column_sets(columns, shards, beside=photos) if columns and not encrypted else []),
        ],
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _media_type(path: str) -> str:
    if path.endswith(".age"):
        return "application/octet-stream"
    return "application/x-parquet" if path.endswith(".parquet") else "application/x-tar"


def _file(path: str, media_type: str, sha256: str, size: str | None) -> dict[str, Any]:
    described_file = {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": media_type,
        "sha256": sha256,
    }
    return described_file | ({"contentSize": size} if size else {})


def _file_sets(
    shards: Sequence[DeliveredFile], fields: Sequence[Asked], *, photos: bool
) -> list[dict[str, Any]]:
    if not photos:
        return []
    found = [_photos(shards)] if _has_photos(fields, photos) else []
    return [*found, column_files(shards)] if columns_of(fields) else found


def _has_photos(fields: Sequence[Asked], photos: bool) -> bool:
    """True where photographs themselves are among what was asked for."""
    return photos and (not fields or len(columns_of(fields)) < len(fields))


def _photos(shards: Sequence[DeliveredFile]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": "photos",
        "name": "photos",
        "containedIn": [{"@id": file.path} for file in shards],
        "encodingFormat": list(EXTENSIONS),
        "includes": [f"*{extension}" for extension in EXTENSIONS.values()],
    }


def _images() -> dict[str, Any]:
    """The photos themselves, by the name that the manifest has in `path`."""
    name, content = "images/path", "images/image"
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "key": {"@id": name},
        "field": [
            _of_file(name, "sc:Text", "filename", "The object's name inside its shard."),
            _of_file(content, "sc:ImageObject", "content", "The photo."),
        ],
    }


def _of_file(field: str, kind: str, part: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": field,
        "name": field.partition("/")[2],
        "description": description,
        "dataType": kind,
        "source": {"fileSet": {"@id": "photos"}, "extract": {"fileProperty": part}},
    }


def _record_set() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "objects",
        "name": "objects",
        "key": {"@id": "objects/path"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"objects/{name}",
                "name": name,
                "description": description,
                "dataType": kind,
                "source": {
                    "fileObject": {"@id": "manifest.parquet"},
                    "extract": {"column": name},
                },
            }
            for name, (kind, description) in _COLUMNS.items()
        ],
    }
