"""The list of all projects of an upstream: hundreds of thousands of names, stored as one text."""

from __future__ import annotations

import heapq
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import overload
from urllib.parse import urlsplit

import orjson

from wheelgate.packages import normalize
from wheelgate_mirror.charsets import decode_html
from wheelgate_mirror.empty_pages import is_empty_index
from wheelgate_mirror.html_links import Declaration, html_links
from wheelgate_mirror.page_parsing import REPOSITORY_VERSION, UnusableError, check_api_version

MAX_LISTED_PROJECTS = 2_000_000
"""Projects of an upstream; the public index has some 700,000."""
NAMES_AT_ONCE = 50_000
"""Names that are normalised and sorted at once."""
PARSED_CHUNK_BYTES = 1 << 20
"""Bytes of a list that are parsed at once."""
NORMALIZED_NAME_LINE = re.compile(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", re.MULTILINE)
"""A line that is a normalised project name."""


class ProjectNames(Sequence[str]):
    """Sorted names. Each one becomes an object only when it is read."""

    def __init__(self, text: str) -> None:
        """Make a sequence of the lines of a text; each line ends with a newline."""
        self._text = text

    def __len__(self) -> int:
        return self._text.count("\n")

    def __iter__(self) -> Iterator[str]:
        return (match[0] for match in re.finditer(r".+", self._text))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and f"\n{name}\n" in f"\n{self._text}"

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice) or at < 0:
            return list(self)[at]
        for name in islice(self, at, None):
            return name
        raise IndexError(at)


def pack_names(names: Iterable[str]) -> bytes:
    """Return the stored form of a list of names: normalised, sorted, and without those that are not valid.

    Raises:
        UnusableError: there are too many.
    """
    # Each call below blocks the other threads of the process while it runs, so none of them gets the whole list.
    parts: list[list[str]] = []
    remaining = iter(names)
    while part := list(islice(remaining, NAMES_AT_ONCE)):
        # PERF: as one text, names are normalised several times as fast as one by one.
        parts.append(sorted(set(NORMALIZED_NAME_LINE.findall(normalize("\n".join(part))))))
        if len(parts) * NAMES_AT_ONCE > MAX_LISTED_PROJECTS:
            raise UnusableError(f"it has more than {MAX_LISTED_PROJECTS} projects")
    lines = [f"{name}\n" for name, _ in groupby(heapq.merge(*parts))]
    return zlib.compress("".join(lines).encode())


def unpack_names(content: bytes) -> ProjectNames:
    """Return the names whose stored form :func:`pack_names` made."""
    return ProjectNames(zlib.decompress(content).decode())


def parse_json_list(body: bytes | bytearray) -> Iterator[str]:
    """Yield the names in a JSON list of PEP 691, a chunk at a time: 700,000 projects at once take 250 MB.

    Raises:
        ValueError: the body is not a list of projects.
    """
    begin = body.index(b"[", body.index(b'"projects"')) + 1
    end = body.index(b"]", begin)
    while begin < end:
        last = body.find(b"}", begin + PARSED_CHUNK_BYTES, min(end, begin + 2 * PARSED_CHUNK_BYTES)) + 1
        if not last and end - begin > 2 * PARSED_CHUNK_BYTES:
            raise UnusableError("it has an entry that is too long")
        for entry in orjson.loads(b"[" + body[begin : last or end].strip(b", \r\n\t") + b"]"):
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise UnusableError("it has an entry without a name")
            yield entry["name"]
        begin = last or end


def parse_html_list(body: bytes | bytearray, url: str, charset: str | None) -> Iterator[str]:
    """Yield the names in an HTML list of PEP 503 from ``url``: the texts of links to pages directly below that URL.

    Raises:
        ValueError: the body has no such link, does not say that it belongs to a repository, and is not empty.
    """
    # Names are ASCII, and in other codecs a single character may multiply the memory for the whole text.
    text, folder, found = body.decode("latin-1"), urlsplit(url).path.rstrip("/"), False
    for part in html_links(text, url):
        if isinstance(part, Declaration):
            if part.name == REPOSITORY_VERSION:
                check_api_version(part.content)
                found = True
        elif urlsplit(part.url).path.rstrip("/").rpartition("/")[0] == folder:
            found = True
            yield part.text
    if not found and not is_empty_index(decode_html(body, charset), url):
        raise UnusableError("it has no link to a project")
