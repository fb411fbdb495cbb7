"""Simple pages in HTML (PEP 503) and JSON (PEP 691), version 1.4 of the API where it is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import orjson

from wheelgate.packages import File
from wheelgate.server_view import UNQUOTED_IN_ADDRESS
from wheelgate.services.packages.merging import MergedProject
from wheelgate.values import Index

SIMPLE_API_VERSION = "1.4"
"""The version of the simple API that pages state (PEP 629)."""
VERSION_WITHOUT_SIZES = "1.0"
"""The version that a JSON page states if the size of a file is unknown: PEP 700 requires all sizes."""

UrlPrefix = Callable[[Index], str]
"""Returns the beginning of the URLs of an index's files."""


def relative_urls(index: Index) -> UrlPrefix:
    """Make URLs relative to the page of a project on an index: ``/{owner}/{name}/+simple/{project}/``."""

    def prefix(other: Index) -> str:
        if other.path == index.path:
            return "../../"
        if other.owner == index.owner:
            return f"../../../{quote(other.name)}/"
        return f"../../../../{quote(other.path)}/"

    return prefix


def absolute_urls(server_url: str) -> UrlPrefix:
    """Make absolute URLs below the server's."""
    return lambda index: f"{server_url}/{quote(index.path)}/"


def project_as_json(page: MergedProject, files_at: UrlPrefix, provenance_at: UrlPrefix) -> bytes:
    """Render the page of a project as PEP 691, 700, 714, 740 and 792 define it.

    If the size of a file is unknown, the page states version 1.0. It has all other keys all the same, because clients
    ignore keys that they do not know.

    Args:
        page: the project.
        files_at: makes the URLs of files.
        provenance_at: makes the URLs of their provenance, which must be absolute (PEP 740).
    """
    status = {"status": page.status}
    if page.status_reason:
        status["reason"] = page.status_reason
    complete = all(file.size is not None for _, files in page.parts for file in files)
    document = {
        "meta": {"api-version": SIMPLE_API_VERSION if complete else VERSION_WITHOUT_SIZES},
        "name": page.name,
        "project-status": status,
        "versions": page.versions,
        "files": [
            file_as_json(file, file_prefix, provenance_prefix)
            for file_prefix, provenance_prefix, files in prefixed_parts(page, files_at, provenance_at)
            for file in files
        ],
    }
    return orjson.dumps(document)


def prefixed_parts(
    page: MergedProject, files_at: UrlPrefix, provenance_at: UrlPrefix
) -> list[tuple[str, str, tuple[File, ...]]]:
    """Return the files of each index with the URL prefixes of its files and of their provenance."""
    return [(files_at(index), provenance_at(index), files) for index, files in page.parts]


def file_as_json(file: File, file_prefix: str, provenance_prefix: str) -> dict[str, Any]:
    """Render a file; keys whose value is unknown are left out."""
    entry: dict[str, Any] = {
        "filename": file.name,
        "url": url_below(file_prefix, file.path),
        "hashes": dict(file.hashes),
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    if file.core_metadata is not None:
        entry["core-metadata"] = {"sha256": file.core_metadata} if file.core_metadata else True
    if file.provenance is not None:
        entry["provenance"] = url_below(provenance_prefix, file.provenance)
    return entry


def project_as_html(page: MergedProject, files_at: UrlPrefix, provenance_at: UrlPrefix) -> bytes:
    """Render the page of a project as PEP 503, 592, 629, 714, 740 and 792 define it; see :func:`project_as_json`."""
    meta = f'<meta name="pypi:project-status" content="{escape(page.status)}">\n'
    if page.status_reason:
        meta += f'<meta name="pypi:project-status-reason" content="{escape(page.status_reason)}">\n'
    lines = [
        file_as_html(file, file_prefix, provenance_prefix)
        for file_prefix, provenance_prefix, files in prefixed_parts(page, files_at, provenance_at)
        for file in files
    ]
    return html_page(f"Links for {page.name}", meta, lines)


def file_as_html(file: File, file_prefix: str, provenance_prefix: str) -> str:
    """Render the link to a file."""
    # PEP 503 allows one hash; sha256 is the one that every tool knows.
    name = "sha256" if "sha256" in file.hashes else next(iter(file.hashes), "")
    fragment = f"#{name}={file.hashes[name]}" if name else ""
    attributes = ""
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.yanked is not None:
        attributes += f' data-yanked="{escape(file.yanked)}"'
    if file.core_metadata is not None:
        digest = f"sha256={file.core_metadata}" if file.core_metadata else "true"
        attributes += f' data-core-metadata="{escape(digest)}" data-dist-info-metadata="{escape(digest)}"'
    if file.provenance is not None:
        attributes += f' data-provenance="{escape(url_below(provenance_prefix, file.provenance))}"'
    target = escape(url_below(file_prefix, file.path) + fragment)
    return f'<a href="{target}"{attributes}>{escape(file.name)}</a><br>\n'


def url_below(prefix: str, path: str) -> str:
    """Return the URL of a path below an index."""
    return prefix + quote(path, UNQUOTED_IN_ADDRESS)


def list_as_json(names: Sequence[str]) -> bytes:
    """Render the list of all projects as PEP 691 defines it."""
    return orjson.dumps({"meta": {"api-version": SIMPLE_API_VERSION}, "projects": [{"name": name} for name in names]})


def list_as_html(names: Sequence[str]) -> bytes:
    """Render the list of all projects as PEP 503 defines it."""
    return html_page("Simple index", "", [f'<a href="{quote(name)}/">{escape(name)}</a><br>\n' for name in names])


def html_page(title: str, meta: str, lines: Sequence[str]) -> bytes:
    """Render a page around its links."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="pypi:repository-version" content="{SIMPLE_API_VERSION}">\n{meta}'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{''.join(lines)}</body>\n</html>\n"
    ).encode()
