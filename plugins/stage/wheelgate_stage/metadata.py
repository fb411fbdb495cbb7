"""Core metadata of archives and forms, and the version data made of both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.version import Version

from wheelgate.errors import BadInput
from wheelgate.packages import MAX_PROJECT_NAME_CHARS, UploadForm, normalize, parse_project_name
from wheelgate.values import FORBIDDEN_IN_TEXT
from wheelgate_stage.filenames import parse_version
from wheelgate_stage.requires_python import is_readable

TEXT_FIELDS = (
    "name",
    "version",
    "metadata_version",
    "summary",
    "home_page",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "license",
    "description",
    "keywords",
    "download_url",
    "comment",
    "requires_python",
    "description_content_type",
    "license_expression",
)
"""The version data that is text."""
LIST_FIELDS = (
    "platform",
    "classifiers",
    "supported_platform",
    "provides",
    "requires",
    "obsoletes",
    "project_urls",
    "provides_dist",
    "obsoletes_dist",
    "requires_dist",
    "requires_external",
    "provides_extras",
    "dynamic",
    "license_file",
)
"""The version data that is a list of texts."""
EMPTY_VERSION_DATA: dict[str, Any] = dict.fromkeys(TEXT_FIELDS, "") | dict.fromkeys(LIST_FIELDS, ())
"""The data of a version without any metadata."""
FIELD_ALIASES = {"provides_extra": "provides_extras", "license_files": "license_file", "platforms": "platform"} | {
    "supported_platforms": "supported_platform"
}
"""Other names of these fields, in the forms of some tools and in ``packaging.metadata``."""
SUPPORTED_METADATA_VERSION = re.compile(r"[12]\.\d{1,3}")
"""1.0 to 2.6, and any other minor version: later ones only add fields, and no installer looks for a gap."""


def parse_project(name: str) -> str:
    """Return the normalised name of a project. Raise ``BadInput`` if no project can have the name."""
    try:
        return parse_project_name(name)
    except ValueError:
        raise BadInput(
            f"invalid metadata: {name[:80]!a} is not a project's name; it must have 1 to {MAX_PROJECT_NAME_CHARS}"
            " characters, only ASCII letters, digits, '-', '_' and '.', and begin and end with a letter or digit"
        ) from None


def form_fields(form: UploadForm) -> dict[str, Any]:
    """Return the version data in a form. Raise ``BadInput`` for text that no database can store."""
    fields: dict[str, Any] = {}
    for key, values in form.fields.items():
        field = FIELD_ALIASES.get(key, key)
        if field in LIST_FIELDS:
            fields[field] = [_storable(field, value) for value in values if value and value != "UNKNOWN"]
        elif field in TEXT_FIELDS:
            fields[field] = _storable(field, form.first(key))
    return fields


def parse_core_metadata(archive: str, content: bytes, project: str, version: Version) -> dict[str, Any]:
    """Return the version data in core metadata (versions 1 and 2): text or lists of text, by field.

    Raises:
        BadInput: the metadata cannot be parsed, or belongs to another project or version.
    """
    from packaging.metadata import parse_email  # imports all of `email`, and only uploads need it

    raw, _ = parse_email(content)
    name, found, metadata_version = raw.get("name", ""), raw.get("version", ""), raw.get("metadata_version", "")
    if not SUPPORTED_METADATA_VERSION.fullmatch(metadata_version):
        raise _invalid(archive, f"gives the Metadata-Version {metadata_version[:20]!a} instead of one such as 2.1")
    if normalize(name) != project:
        raise _invalid(archive, f"gives the name {name[:80]!a} instead of '{project}'")
    if parse_version(found) != version:
        raise _invalid(archive, f"gives the version {found[:80]!a} instead of '{version}'")
    fields: dict[str, Any] = {}
    for key, value in raw.items():
        field = FIELD_ALIASES.get(key, key)
        if field in LIST_FIELDS:
            entries = [", ".join(pair) for pair in value.items()] if isinstance(value, dict) else value
            fields[field] = [_storable(field, entry) for entry in _as_list(entries)]
        elif field in TEXT_FIELDS:
            fields[field] = _storable(field, ",".join(value) if isinstance(value, list) else str(value))
    requires_python = fields.get("requires_python", "")
    if not is_readable(requires_python):
        raise _invalid(
            archive, f"gives {requires_python[:80]!a} as Requires-Python; it must contain clauses such as >=3.9"
        )
    return fields


def merge_version_data(
    name: str, version: str, before: Mapping[str, Any], sent: Mapping[str, Any], core: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a version: from the form, else from before the upload, else from the archive."""
    data = dict(EMPTY_VERSION_DATA)
    for given in (core, {field: value for field, value in before.items() if field not in sent}, sent):
        data |= {field: value for field, value in given.items() if value and field in data}
    return data | {"name": name, "version": version}


def _as_list(value: Any) -> Sequence[str]:
    return value if isinstance(value, list) else [value]


def _storable(field: str, text: str) -> str:
    """Return the text. Raise ``BadInput`` if UTF-8 or a database cannot store it."""
    if FORBIDDEN_IN_TEXT.search(text):
        raise BadInput(f"invalid metadata: the field '{field}' contains a character that is not valid in text")
    return text


def _invalid(archive: str, what: str) -> BadInput:
    return BadInput(f"the metadata in '{archive}' {what}; build it again and repeat the upload")
