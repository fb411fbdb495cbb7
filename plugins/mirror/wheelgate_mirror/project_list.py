"""The list of all projects of an upstream: hundreds of thousands of names, stored as one text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import overload
from urllib.parse import urlsplit

import orjson

from wheelgate.packages import normalize
from wheelgate_mirror.empty_pages import is_empty_index
from wheelgate_mirror.page_parsing import UnusableError, suppress_warnings

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
    """Return the stored form of a list of names: normalised, sorted, and without those that are not valid."""
    # PERF: as one text, 700,000 names take a fifth of the memory that they take one by one.
    valid = NORMALIZED_NAME_LINE.findall(normalize("\n".join(names)))
    return zlib.compress("".join(f"{name}\n" for name in sorted(set(valid))).encode())


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
        last = body.find(b"}", begin + PARSED_CHUNK_BYTES, end) + 1 or end
        for entry in orjson.loads(b"[" + body[begin:last].strip(b", \r\n\t") + b"]"):
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise UnusableError("it has an entry without a name")
            yield entry["name"]
        begin = last


def parse_html_list(body: bytes | bytearray, url: str, charset: str | None) -> Iterator[str]:
    """Yield the names in an HTML list of PEP 503 from ``url``: the texts of links to pages directly below that URL.

    Raises:
        ValueError: the body has no such link, does not say that it belongs to a repository, and is not empty.
    """
    # This import costs 0.2 s and 16 MB. Only a server whose upstreams send HTML should pay for it.
    from pypi_simple import UnsupportedRepoVersionError, parse_links_stream

    chunks = (bytes(body[begin : begin + PARSED_CHUNK_BYTES]) for begin in range(0, len(body), PARSED_CHUNK_BYTES))
    found, folder = False, urlsplit(url).path.rstrip("/")
    try:
        with suppress_warnings():
            for link in parse_links_stream(chunks, base_url=url, http_charset=charset):
                if urlsplit(link.url).path.rstrip("/").rpartition("/")[0] == folder:
                    found = True
                    yield link.text
    except UnsupportedRepoVersionError as error:
        raise UnusableError("it has an unknown version of the simple API") from error
    if not found and b"pypi:repository-version" not in body and not is_empty_index(body, url, charset):
        raise UnusableError("it has no link to a project")
