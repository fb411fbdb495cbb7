"""Pages of the simple API as an index writes them, in HTML (PEP 503) and JSON (PEP 691), 1.0 to 1.4."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.helpers.distributions import Distribution

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Link:
    """A file as the index tells of it; what it does not say, it leaves out."""

    made: Distribution
    sha256: str = ""
    """The digest that is told; empty is none."""
    upload_time: str = ""
    yanked: bool | str = False
    metadata_sha256: str = ""
    """The digest of the metadata sibling, which is there only with it."""
    provenance: str = ""


Page = tuple[str, bytes]
"""Media type and content."""


def of_names(names: Sequence[str], version: str, as_json: bool) -> Page:
    """Write the list of projects."""
    if as_json:
        return json_page({"meta": {"api-version": version}, "projects": [{"name": name} for name in names]})
    return html_page({"pypi:repository-version": version}, [f'<a href="{name}/">{name}</a>' for name in names])


def of_project(
    name: str, links: Sequence[Link], version: str, as_json: bool, files_url: str, status: str = "", reason: str = ""
) -> Page:
    """Write the page of a project, without what came after that version of the API."""
    told = {"status": status, "reason": reason} if version >= "1.4" else {}
    told = {key: value for key, value in told.items() if value}
    if not as_json:
        meta = {"pypi:repository-version": version}
        meta |= {f"pypi:project-status{'-reason' if key == 'reason' else ''}": value for key, value in told.items()}
        return html_page(meta, [link_as_html(link, version, files_url) for link in links])
    page: dict[str, Any] = {
        "meta": {"api-version": version},
        "name": name,
        "files": [link_as_json(link, version, files_url) for link in links],
    }
    if version >= "1.1":
        page["versions"] = sorted({link.made.version for link in links})
    if told:
        page["project-status"] = told
    return json_page(page)


def link_as_json(link: Link, version: str, files_url: str) -> dict[str, Any]:
    """Write a file's entry."""
    written: dict[str, Any] = {
        "filename": link.made.filename,
        "url": files_url + link.made.filename,
        "hashes": {"sha256": link.sha256} if link.sha256 else {},
    }
    if link.made.requires_python:
        written["requires-python"] = link.made.requires_python
    if link.yanked:
        written["yanked"] = link.yanked
    if link.metadata_sha256:
        written["core-metadata"] = written["dist-info-metadata"] = {"sha256": link.metadata_sha256}
    if version >= "1.1":
        written["size"] = len(link.made.content)
        if link.upload_time:
            written["upload-time"] = link.upload_time
    if version >= "1.3":
        written["provenance"] = link.provenance or None
    return written


def link_as_html(link: Link, version: str, files_url: str) -> str:
    """Write a file's anchor."""
    attributes = {"href": files_url + link.made.filename + (f"#sha256={link.sha256}" if link.sha256 else "")}
    if link.made.requires_python:
        attributes["data-requires-python"] = link.made.requires_python
    if link.yanked:
        attributes["data-yanked"] = "" if link.yanked is True else link.yanked
    if link.metadata_sha256:
        attributes["data-core-metadata"] = f"sha256={link.metadata_sha256}"
        attributes["data-dist-info-metadata"] = f"sha256={link.metadata_sha256}"
    if link.provenance and version >= "1.3":
        attributes["data-provenance"] = link.provenance
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{html.escape(link.made.filename)}</a>"


def normalised(name: str) -> str:
    """Return a project's name as PEP 503 has it."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def json_page(page: Mapping[str, Any]) -> tuple[str, bytes]:
    """Write a page of PEP 691."""
    return JSON, json.dumps(page).encode()


def html_page(meta: Mapping[str, str], lines: list[str]) -> tuple[str, bytes]:
    """Write a page of PEP 503."""
    head = "".join(f'<meta name="{name}" content="{html.escape(value)}">' for name, value in meta.items())
    body = "<br>\n".join(lines)
    return "text/html; charset=utf-8", f"<!DOCTYPE html><html><head>{head}</head><body>\n{body}</body></html>".encode()
