"""Core metadata of archives and forms, and the version data made of both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from wheelgate.errors import BadInput
from wheelgate.packages import (
    MAX_FIELD_VALUES,
    MAX_PROJECT_NAME_CHARS,
    UploadForm,
    normalize,
    parse_project_name,
    read_core_metadata,
)
from wheelgate.values import FORBIDDEN_IN_TEXT
from wheelgate_stage.filenames import parse_version
from wheelgate_stage.limits import invalid_metadata
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
"""Other names of these fields, in the forms of some tools."""
SINGULAR_HEADERS = {"classifiers": "classifier", "project_urls": "project-url", "provides_extras": "provides-extra"}
FIELD_BY_HEADER = {
    SINGULAR_HEADERS.get(field, field.replace("_", "-")): field for field in (*TEXT_FIELDS, *LIST_FIELDS)
}
"""The version data by the name of the header in core metadata, in lower case."""
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
            if len(values) > MAX_FIELD_VALUES:
                raise BadInput(f"invalid metadata: the field '{key}' has more than {MAX_FIELD_VALUES} values")
            fields[field] = [_storable(field, value) for value in values if value and value != "UNKNOWN"]
        elif field in TEXT_FIELDS:
            fields[field] = _storable(field, form.first(key))
    return fields


def parse_core_metadata(archive: str, content: bytes, project: str, version: Version) -> dict[str, Any]:
    """Return the version data in core metadata (versions 1 and 2): text or lists of text, by field.

    Raises:
        BadInput: the metadata cannot be parsed, or belongs to another project or version.
    """
    try:
        read = read_core_metadata(content)
    except ValueError as error:
        raise invalid_metadata(archive, str(error)) from None
    fields: dict[str, Any] = {}
    for header, values in read.fields.items():
        field = FIELD_BY_HEADER.get(header)
        if field is None:
            continue
        if field in LIST_FIELDS:
            fields[field] = [_storable(field, value) for value in values]
        else:
            if len(values) > 1 or (field == "description" and read.description.strip()):
                raise invalid_metadata(archive, f"gives the field '{header}' more than once")
            fields[field] = _storable(field, values[0])
    if read.description:
        fields["description"] = _storable("description", read.description)
    _check_identity(archive, fields, project, version)
    requires_python = fields.get("requires_python", "")
    if not is_readable(requires_python):
        raise invalid_metadata(
            archive, f"gives {requires_python[:80]!a} as Requires-Python; it must contain clauses such as >=3.9"
        )
    return fields


def _check_identity(archive: str, fields: Mapping[str, Any], project: str, version: Version) -> None:
    """Refuse metadata of an unknown version, or of another project or release."""
    name, found, metadata_version = (fields.get(key, "") for key in ("name", "version", "metadata_version"))
    if not SUPPORTED_METADATA_VERSION.fullmatch(metadata_version):
        raise invalid_metadata(
            archive, f"gives the Metadata-Version {metadata_version[:20]!a} instead of one such as 2.1"
        )
    if normalize(name) != project:
        raise invalid_metadata(archive, f"gives the name {name[:80]!a} instead of '{project}'")
    if parse_version(found) != version:
        raise invalid_metadata(archive, f"gives the version {found[:80]!a} instead of '{version}'")


def merge_version_data(
    name: str, version: str, before: Mapping[str, Any], sent: Mapping[str, Any], core: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a version: from the form, else from before the upload, else from the archive."""
    data = dict(EMPTY_VERSION_DATA)
    for given in (core, {field: value for field, value in before.items() if field not in sent}, sent):
        data |= {field: value for field, value in given.items() if value and field in data}
    return data | {"name": name, "version": version}


def _storable(field: str, text: str) -> str:
    """Return the text. Raise ``BadInput`` if UTF-8 or a database cannot store it."""
    if FORBIDDEN_IN_TEXT.search(text):
        raise BadInput(f"invalid metadata: the field '{field}' contains a character that is not valid in text")
    return text
