"""Simple pages as text: HTML (PEP 503) and JSON (PEP 691), version 1.4 of the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import orjson

from wheelgate.packages import File
from wheelgate.services.merging import Merged
from wheelgate.values import Index

VERSION = "1.4"
SAFE = "/+!@,=~"
"""What may stand in the path of an address besides letters, digits and ``-._~``."""

Base = Callable[[Index], str]
"""Returns what stands before the address of a file of an index."""


def relative_to(index: Index) -> Base:
    """Write addresses as seen from the page of a project on an index: ``/{owner}/{name}/+simple/{project}/``."""

    def base(other: Index) -> str:
        if other.path == index.path:
            return "../../"
        if other.owner == index.owner:
            return f"../../../{quote(other.name)}/"
        return f"../../../../{quote(other.path)}/"

    return base


def below(url: str) -> Base:
    """Write whole addresses, below that of the server."""
    return lambda index: f"{url}/{quote(index.path)}/"


def project_as_json(page: Merged, base: Base, whole: Base) -> bytes:
    """Write the page of a project after PEP 691, 700, 714, 740 and 792.

    Args:
        page: the project.
        base: writes the addresses of files.
        whole: writes those of their provenance, which must name the server (PEP 740).
    """
    status = {"status": page.status}
    if page.status_reason:
        status["reason"] = page.status_reason
    document = {
        "meta": {"api-version": VERSION},
        "name": page.name,
        "project-status": status,
        "versions": page.versions,
        "files": [
            file_as_json(file, near, far)
            for near, far, files in ((base(index), whole(index), files) for index, files in page.parts)
            for file in files
        ],
    }
    return orjson.dumps(document)


def file_as_json(file: File, prefix: str, whole: str) -> dict[str, Any]:
    """Write a file; what nobody knows of it is left out."""
    entry: dict[str, Any] = {
        "filename": file.name,
        "url": address(prefix, file.path),
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
        entry["provenance"] = address(whole, file.provenance)
    return entry


def project_as_html(page: Merged, base: Base, whole: Base) -> bytes:
    """Write the page of a project after PEP 503, 592, 629, 714, 740 and 792; see :func:`project_as_json`."""
    meta = f'<meta name="pypi:project-status" content="{escape(page.status)}">\n'
    if page.status_reason:
        meta += f'<meta name="pypi:project-status-reason" content="{escape(page.status_reason)}">\n'
    lines = [
        file_as_html(file, near, far)
        for near, far, files in ((base(index), whole(index), files) for index, files in page.parts)
        for file in files
    ]
    return document(f"Links for {page.name}", meta, lines)


def file_as_html(file: File, prefix: str, whole: str) -> str:
    """Write the anchor of a file."""
    # PEP 503 has room for one hash; sha256 is the one that every tool knows.
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
        attributes += f' data-provenance="{escape(address(whole, file.provenance))}"'
    target = escape(address(prefix, file.path) + fragment)
    return f'<a href="{target}"{attributes}>{escape(file.name)}</a><br>\n'


def address(prefix: str, path: str) -> str:
    """Return the address of what is at a path below an index."""
    return prefix + quote(path, SAFE)


def list_as_json(names: Sequence[str]) -> bytes:
    """Write the list of all projects after PEP 691."""
    return orjson.dumps({"meta": {"api-version": VERSION}, "projects": [{"name": name} for name in names]})


def list_as_html(names: Sequence[str]) -> bytes:
    """Write the list of all projects after PEP 503."""
    return document("Simple index", "", [f'<a href="{quote(name)}/">{escape(name)}</a><br>\n' for name in names])


def document(title: str, meta: str, lines: Sequence[str]) -> bytes:
    """Write a page around its links."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="pypi:repository-version" content="{VERSION}">\n{meta}'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{''.join(lines)}</body>\n</html>\n"
    ).encode()
