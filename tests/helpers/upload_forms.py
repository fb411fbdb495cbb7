"""Upload forms, valid as from upload tools, or invalid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.helpers.distributions import Distribution
from urllib3 import encode_multipart_formdata

from wheelgate.testing.site import Response, Site

BOUNDARY = "x" * 32

Fields = Sequence[tuple[str, Any]]


def encode(fields: Fields) -> tuple[bytes, dict[str, str]]:
    """Return the body of a form and its headers. The value of a file is its name, its bytes and its media type."""
    body, content_type = encode_multipart_formdata(list(fields), BOUNDARY)
    return body, {"Content-Type": content_type}


def file_fields(dist: Distribution, **changed: str) -> list[tuple[str, Any]]:
    """Return the fields of an upload; an empty value removes a field."""
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": dist.name,
        "version": dist.version,
        "metadata_version": "2.1",
        "filetype": "bdist_wheel" if dist.filename.endswith(".whl") else "sdist",
        "sha256_digest": dist.sha256,
        **changed,
    }
    content = (dist.filename, dist.content, "application/octet-stream")
    return [*((name, value) for name, value in fields.items() if value), ("content", content)]


def upload(
    site: Site,
    index: str,
    dist: Distribution,
    auth: tuple[str, str] | None,
    headers: Mapping[str, str] | None = None,
    **changed: str,
) -> Response:
    """Upload a file."""
    body, form_headers = encode(file_fields(dist, **changed))
    return site.request("POST", f"/{index}/", body, auth=auth, headers={**form_headers, **(headers or {})})


def submit(site: Site, index: str, auth: tuple[str, str] | None, **fields: str) -> Response:
    """Register a version: send a form without a file."""
    body, headers = encode(list(fields.items()))
    return site.request("POST", f"/{index}/", body, auth=auth, headers=headers)


def address(dist: Distribution) -> str:
    """Return the address of a file below its index."""
    return f"+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}"
