"""Core metadata: those inside archives, those in forms, and the version data that are made of both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from wheelgate.errors import BadInput
from wheelgate.packages import MAX_PROJECT_NAME_CHARS, UploadForm, normalize, parse_project_name
from wheelgate_stage.filenames import parse_version

TEXTS = (
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
LISTS = (
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
NOTHING_SAID: dict[str, Any] = dict.fromkeys(TEXTS, "") | dict.fromkeys(LISTS, ())
"""The data of a version of which nothing is known."""
ALSO = {"provides_extra": "provides_extras", "license_files": "license_file", "platforms": "platform"} | {
    "supported_platforms": "supported_platform"
}
"""Other names of these fields: in the forms of some tools, and in ``packaging.metadata``."""
NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
KNOWN = re.compile(r"1\.[0-2]|2\.\d{1,3}")
"""1.0 to 2.6, and what may follow: a minor version only adds fields."""


@dataclass(frozen=True, slots=True)
class Core:
    """What the core metadata of an archive say."""

    content: bytes
    fields: Mapping[str, Any]
    """By the names of version data: text or lists of text."""


def parse_project(name: str) -> str:
    """Return the normalised name of a project. Raise ``BadInput`` for what cannot be one."""
    try:
        return parse_project_name(name)
    except ValueError:
        raise BadInput(
            f"invalid metadata: {name[:80]!a} is not a project's name; it must have 1 to {MAX_PROJECT_NAME_CHARS}"
            " characters, only ASCII letters, digits, '-', '_' and '.', and begin and end with a letter or digit"
        ) from None


def sent_fields(form: UploadForm) -> dict[str, Any]:
    """Return the metadata that a form gives. Raise ``BadInput`` for text that no database takes."""
    sent: dict[str, Any] = {}
    for key, values in form.fields.items():
        field = ALSO.get(key, key)
        if field in LISTS:
            sent[field] = [_clean(field, value) for value in values if value and value != "UNKNOWN"]
        elif field in TEXTS:
            sent[field] = _clean(field, form.first(key))
    return sent


def read_core_metadata(archive: str, content: bytes, project: str, version: Version) -> Core:
    """Read core metadata (versions 1.0 to 2.6) and hold them against what the upload says.

    Raises:
        BadInput: they cannot be read, or are those of another project or version.
    """
    from packaging.metadata import parse_email  # only uploads need it, and it brings the whole of `email`

    raw, _ = parse_email(content)
    name, found, form = raw.get("name", ""), raw.get("version", ""), raw.get("metadata_version", "")
    if not KNOWN.fullmatch(form):
        raise _wrong(archive, f"give no Metadata-Version between 1.0 and 2.6, but {form[:20]!a}")
    if normalize(name) != project:
        raise _wrong(archive, f"give the name {name[:80]!a} in place of '{project}'")
    if parse_version(found) != version:
        raise _wrong(archive, f"give the version {found[:80]!a} in place of '{version}'")
    fields: dict[str, Any] = {}
    for key, value in raw.items():
        field = ALSO.get(key, key)
        if field in LISTS:
            entries = [", ".join(pair) for pair in value.items()] if isinstance(value, dict) else value
            fields[field] = [_clean(field, entry) for entry in _as_list(entries)]
        elif field in TEXTS:
            fields[field] = _clean(field, ",".join(value) if isinstance(value, list) else str(value))
    _refuse_requires_python(archive, fields.get("requires_python", ""))
    return Core(content, fields)


def version_data(
    name: str, version: str, before: Mapping[str, Any], sent: Mapping[str, Any], core: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the data of a version: what was sent, else what was there, else what the archive says."""
    data = dict(NOTHING_SAID)
    for given in (core, {field: value for field, value in before.items() if field not in sent}, sent):
        data |= {field: value for field, value in given.items() if value and field in data}
    return data | {"name": name, "version": version}


def _refuse_requires_python(archive: str, text: str) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # see above

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise _wrong(archive, f"give {text[:80]!a} as Requires-Python, which no installer understands") from None


def _as_list(value: Any) -> Sequence[str]:
    return value if isinstance(value, list) else [value]


def _clean(field: str, text: str) -> str:
    """Return text that UTF-8 and every database can hold."""
    if NO_TEXT.search(text):
        raise BadInput(f"invalid metadata: the field '{field}' holds signs that are no text")
    return text


def _wrong(archive: str, what: str) -> BadInput:
    return BadInput(f"the metadata in '{archive}' {what}; build it again and repeat the upload")
