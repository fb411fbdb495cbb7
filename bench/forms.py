"""The multipart forms with which tools upload files and register projects."""

from __future__ import annotations

from collections.abc import Mapping

from tests.helpers.distributions import Distribution

from bench import driver

BOUNDARY = b"----0123456789abcdef0123456789abcdef"
UPLOADER_HEADERS = {"User-Agent": "twine/7.0.0 CPython/3.11", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


def upload(made: Distribution, index: str, credentials: str) -> bytes:
    """Return the request that uploads a file to an index, given by its path."""
    is_wheel = made.filename.endswith(".whl")
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": made.name,
        "version": made.version,
        "summary": "made for a test",
        "requires_python": made.requires_python,
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": "py3" if is_wheel else "source",
        "sha256_digest": made.sha256,
    }
    return post(index, fields, credentials, made)


def register(name: str, version: str, index: str, credentials: str) -> bytes:
    """Return the request that registers a project without a file."""
    fields = {":action": "submit", "metadata_version": "2.1", "name": name, "version": version}
    return post(index, fields, credentials)


def post(index: str, fields: Mapping[str, str], credentials: str, made: Distribution | None = None) -> bytes:
    """Return a request with a form; the file, if any, is its last part."""
    parts = [part(f'name="{name}"', value.encode()) for name, value in fields.items()]
    if made is not None:
        kind = b"\r\nContent-Type: application/octet-stream"
        parts.append(part(f'name="content"; filename="{made.filename}"', made.content, kind))
    content = b"".join([*parts, b"--", BOUNDARY, b"--\r\n"])
    return driver.write(
        "POST",
        f"/{index}/",
        UPLOADER_HEADERS,
        content,
        f"multipart/form-data; boundary={BOUNDARY.decode()}",
        credentials,
    )


def part(disposition: str, content: bytes, kind: bytes = b"") -> bytes:
    """Return one part of a form."""
    head = b"\r\nContent-Disposition: form-data; " + disposition.encode() + kind + b"\r\n\r\n"
    return b"".join([b"--", BOUNDARY, head, content, b"\r\n"])
