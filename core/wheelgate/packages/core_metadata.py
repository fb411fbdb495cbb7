"""Splits core metadata into fields and description, in time linear in their length."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_METADATA_HEADER_LINES = 50_000
"""Lines before the description; old tools wrote the whole description there."""
MAX_METADATA_FIELDS = 5000
"""Fields of core metadata; the projects with the most extras have some 1,500."""
MAX_FIELD_VALUES = 2000
"""Values of one field, such as classifiers or requirements, in core metadata and in forms."""
MAX_METADATA_VALUE_CHARS = 256_000
"""Characters of one value, except of the texts of description and license."""
BLANK_LINE = re.compile(r"(?:\A|\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
"""The end of the headers. Lines end as in :mod:`email`."""
LONG_FIELDS = frozenset({"description", "license"})
"""Fields that may contain a whole text."""


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The fields of core metadata as their file has them."""

    fields: Mapping[str, Sequence[str]]
    """Values by the name of the field in lower case, in the order of the file."""
    description: str
    """The text after the headers."""


def read_core_metadata(content: bytes) -> CoreMetadata:
    """Split core metadata into fields and description.

    ``packaging.metadata.parse_email`` searches all headers once for each name: 8,000 names take seventeen seconds.

    Args:
        content: the content of ``METADATA`` or ``PKG-INFO``.

    Raises:
        ValueError: it is not UTF-8 (core metadata specification), or has more fields than any real project; the
            message continues "the metadata …".
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 in line {line}") from None
    blank = BLANK_LINE.search(text)
    head, body = (text[: blank.start()], text[blank.end() :]) if blank else (text, "")
    fields, rest = _read_headers(head)
    # The first line without a colon ends the headers too. To installers, the description begins with that line.
    return CoreMetadata(fields, f"{rest}\n\n{body}" if rest else body)


def _read_headers(head: str) -> tuple[dict[str, list[str]], str]:
    """Return the values by name, and the text from the first line on that is not a header."""
    from email.parser import HeaderParser  # imports much, and only uploads need it

    if head.count("\n") + head.count("\r") - head.count("\r\n") > MAX_METADATA_HEADER_LINES:
        raise ValueError(f"has more than {MAX_METADATA_HEADER_LINES} lines before the description")
    # The same reader that pip and the standard library use, so that this server sees what they see.
    parsed = HeaderParser().parsestr(head)
    fields: dict[str, list[str]] = {}
    for count, (header, value) in enumerate(parsed.raw_items(), 1):
        if count > MAX_METADATA_FIELDS:
            raise ValueError(f"has more than {MAX_METADATA_FIELDS} fields")
        name = header.lower()
        values = fields.setdefault(name, [])
        values.append(value)
        if len(values) > MAX_FIELD_VALUES:
            raise ValueError(f"has more than {MAX_FIELD_VALUES} fields '{header[:40]}'")
        if len(value) > MAX_METADATA_VALUE_CHARS and name not in LONG_FIELDS:
            raise ValueError(f"has a field '{header[:40]}' of more than {MAX_METADATA_VALUE_CHARS} characters")
    return fields, str(parsed.get_payload())
