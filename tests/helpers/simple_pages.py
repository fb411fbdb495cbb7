"""Pages of the simple API in HTML (PEP 503) and JSON (PEP 691), versions 1.0 to 1.4."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.helpers.distributions import Distribution

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Link:
    """A file on a page; the page leaves out empty fields."""

    dist: Distribution
    sha256: str = ""
    """The digest on the page; empty for none."""
    upload_time: str = ""
    yanked: bool | str = False
    metadata_sha256: str = ""
    """The digest of the metadata next to the file; empty if there is no metadata."""
    provenance: str = ""


Page = tuple[str, bytes]
"""Media type and body."""


def of_names(names: Sequence[str], version: str, as_json: bool) -> Page:
    """Return the list of projects."""
    if as_json:
        return json_page({"meta": {"api-version": version}, "projects": [{"name": name} for name in names]})
    return html_page({"pypi:repository-version": version}, [f'<a href="{name}/">{name}</a>' for name in names])


def of_project(
    name: str, links: Sequence[Link], version: str, as_json: bool, files_url: str, status: str = "", reason: str = ""
) -> Page:
    """Return the page of a project, without the fields that a later version of the API added."""
    project_status = {"status": status, "reason": reason} if version >= "1.4" else {}
    project_status = {key: value for key, value in project_status.items() if value}
    if not as_json:
        meta = {"pypi:repository-version": version}
        meta |= {
            f"pypi:project-status{'-reason' if key == 'reason' else ''}": value for key, value in project_status.items()
        }
        return html_page(meta, [link_as_html(link, version, files_url) for link in links])
    page: dict[str, Any] = {
        "meta": {"api-version": version},
        "name": name,
        "files": [link_as_json(link, version, files_url) for link in links],
    }
    if version >= "1.1":
        page["versions"] = sorted({link.dist.version for link in links})
    if project_status:
        page["project-status"] = project_status
    return json_page(page)


def link_as_json(link: Link, version: str, files_url: str) -> dict[str, Any]:
    """Return the entry of a file on a JSON page."""
    entry: dict[str, Any] = {
        "filename": link.dist.filename,
        "url": files_url + link.dist.filename,
        "hashes": {"sha256": link.sha256} if link.sha256 else {},
    }
    if link.dist.requires_python:
        entry["requires-python"] = link.dist.requires_python
    if link.yanked:
        entry["yanked"] = link.yanked
    if link.metadata_sha256:
        entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": link.metadata_sha256}
    if version >= "1.1":
        entry["size"] = len(link.dist.content)
        if link.upload_time:
            entry["upload-time"] = link.upload_time
    if version >= "1.3":
        entry["provenance"] = link.provenance or None
    return entry


def link_as_html(link: Link, version: str, files_url: str) -> str:
    """Return the anchor of a file on an HTML page."""
    attributes = {"href": files_url + link.dist.filename + (f"#sha256={link.sha256}" if link.sha256 else "")}
    if link.dist.requires_python:
        attributes["data-requires-python"] = link.dist.requires_python
    if link.yanked:
        attributes["data-yanked"] = "" if link.yanked is True else link.yanked
    if link.metadata_sha256:
        attributes["data-core-metadata"] = f"sha256={link.metadata_sha256}"
        attributes["data-dist-info-metadata"] = f"sha256={link.metadata_sha256}"
    if link.provenance and version >= "1.3":
        attributes["data-provenance"] = link.provenance
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{html.escape(link.dist.filename)}</a>"


def normalised(name: str) -> str:
    """Return the normalised name of a project (PEP 503)."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def json_page(page: Mapping[str, Any]) -> Page:
    """Return the media type and body of a JSON page (PEP 691)."""
    return SIMPLE_JSON, json.dumps(page).encode()


def html_page(meta: Mapping[str, str], lines: list[str]) -> Page:
    """Return the media type and body of an HTML page (PEP 503)."""
    head = "".join(f'<meta name="{name}" content="{html.escape(value)}">' for name, value in meta.items())
    body = "<br>\n".join(lines)
    return "text/html; charset=utf-8", f"<!DOCTYPE html><html><head>{head}</head><body>\n{body}</body></html>".encode()
