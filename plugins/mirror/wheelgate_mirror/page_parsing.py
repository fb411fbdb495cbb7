"""Parsers of an upstream's project pages: JSON (PEP 691) and HTML (PEP 503). They check every field.

``pypi_simple`` parses each file of a JSON page on its own: given a whole page, it refuses all files if one is invalid.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import orjson

from wheelgate.packages import STATUSES, normalize
from wheelgate_mirror.charsets import decode_html
from wheelgate_mirror.digests import UnverifiableError, fragment_digests, json_digests, metadata_sha256
from wheelgate_mirror.empty_pages import is_empty_index
from wheelgate_mirror.filenames import normalized_version, version_of, version_sort_key
from wheelgate_mirror.html_links import Declaration, Link, html_links
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage

MAX_UPSTREAM_TEXT_CHARS = 2000
"""Characters of a text that is passed on unchanged: a reason, a version specifier, a URL."""
MAX_PAGE_FILES = 50_000
"""Files, and versions, of a project. The largest projects have some ten thousand."""
MAX_JSON_VALUES = 2_000_000
"""Values of a JSON page. A page of ``MAX_PAGE_FILES`` has fewer; without this limit, 64 MB of ``{}`` take gigabytes."""
MAX_LOGGED_NAMES = 10
"""Names of files in one line of the log."""
STRICT_TYPES = {"size": int, "upload-time": str}
"""Keys of a file where ``pypi_simple`` takes other types too: to it, 5 is a time in 1970, older than any cooldown."""
REPOSITORY_VERSION = "pypi:repository-version"
"""The name under which an HTML page declares the version of its API (PEP 629)."""
HTML_DECLARATIONS = frozenset({REPOSITORY_VERSION, "pypi:project-status", "pypi:project-status-reason"})
"""The names of the declarations that are read."""

log = logging.getLogger("wheelgate.mirror")


class UnusableError(ValueError):
    """Raised for a response that is not the page it should be."""


class EmptyPageError(UnusableError):
    """Raised for the page of an index that has nothing."""


def parse_json_page(project: str, body: bytes | bytearray, url: str) -> UpstreamPage:
    """Parse a JSON page of PEP 691 from ``url``. Raise ``ValueError`` if it is not a page of the project."""
    if sum(body.count(mark) for mark in b",[{") > MAX_JSON_VALUES:
        raise UnusableError(f"it has more than {MAX_JSON_VALUES} values")
    data = orjson.loads(body)
    if not isinstance(data, dict):
        raise UnusableError("its JSON is not an object")
    files, meta = data.get("files"), data.get("meta")
    if not isinstance(files, list):
        raise UnusableError("it has no list of files")
    if len(files) > MAX_PAGE_FILES:
        raise UnusableError(f"it has more than {MAX_PAGE_FILES} files")
    if isinstance(meta, dict):
        check_api_version(meta.get("api-version", "1.0"))
    unverifiable: set[str] = set()
    return _page(project, data, _json_files(project, files, url, unverifiable), unverifiable)


def parse_html_page(project: str, body: bytes | bytearray, url: str, charset: str | None) -> UpstreamPage:
    """Parse an HTML page of PEP 503 from ``url``. Raise ``ValueError`` if it cannot be a page of the project.

    A page without files must declare that it belongs to a repository (PEP 629), or be empty, which raises
    ``EmptyPageError``: some indices send one in place of a 404. Any other page is more likely a login form.
    """
    text = decode_html(body, charset)
    declared: dict[str, str] = {}
    unverifiable: set[str] = set()
    page = _page(project, {}, _html_files(project, text, url, declared, unverifiable), unverifiable)
    status, reason = _status(
        {"status": declared.get("pypi:project-status"), "reason": declared.get("pypi:project-status-reason")}
    )
    if not page.files and REPOSITORY_VERSION not in declared:
        if is_empty_index(text, url, project):
            raise EmptyPageError("it has no link to a file")
        raise UnusableError("it has no link to a file")
    return replace(page, status=status, status_reason=reason)


def check_api_version(version: object) -> None:
    """Raise ``UnusableError`` unless this is a version of the simple API that is understood (PEP 629)."""
    if str(version).partition(".")[0] not in ("0", "1"):
        raise UnusableError("it has an unknown version of the simple API")


def _json_files(project: str, files: Sequence[Any], url: str, unverifiable: set[str]) -> Iterator[UpstreamFile]:
    """Yield the files of a JSON page, without their invalid keys. A file that still cannot be parsed is left out.

    The names of files whose digests cannot be read are added to ``unverifiable``.
    """
    # This import costs 0.2 s and 16 MB. Only a server with mirrors should pay for it.
    from pydantic import ValidationError
    from pypi_simple import DistributionPackage

    for data in files:
        name = data.get("filename") if isinstance(data, dict) else None
        if not isinstance(name, str) or version_of(name, project) is None:
            continue
        metadata = data.get("core-metadata", data.get("dist-info-metadata"))  # the second is its name before PEP 714
        entry = {key: value for key, value in data.items() if key not in ("core-metadata", "dist-info-metadata")}
        if isinstance(entry.get("provenance"), str):
            entry["provenance"] = _plain_url(url, entry["provenance"])
        for key, expected in STRICT_TYPES.items():
            if type(entry.get(key)) is not expected:
                entry.pop(key, None)
        try:
            hashes = entry["hashes"] = json_digests(data.get("hashes"))
        except UnverifiableError:
            unverifiable.add(name)
            continue
        with suppress(ValueError):
            try:
                package = DistributionPackage.from_json_data(entry, project, url)
            except ValidationError as error:
                invalid = {detail["loc"][0] for detail in error.errors()}
                rest = {key: value for key, value in entry.items() if key not in invalid}
                package = DistributionPackage.from_json_data(rest, project, url)
            file = UpstreamFile(
                name,
                "",
                package.url,
                hashes,
                package.size,
                upload_time(package.upload_time),
                package.requires_python,
                (package.yanked_reason or "") if package.is_yanked else None,
                metadata_sha256(metadata),
                package.provenance_url,
            )
            yield from _checked_file(file, project, url)


def _html_files(
    project: str, text: str, url: str, declared: dict[str, str], unverifiable: set[str]
) -> Iterator[UpstreamFile]:
    """Yield the files of an HTML page.

    What the page declares about itself is added to ``declared``, and the names of files whose digests cannot be read to
    ``unverifiable``.
    """
    for part in html_links(text, url):
        if isinstance(part, Declaration):
            if part.name == REPOSITORY_VERSION:
                check_api_version(part.content)
            if part.name in HTML_DECLARATIONS:
                declared.setdefault(part.name, part.content)
        else:
            yield from _checked_file(_linked_file(part, unverifiable), project, url)


def _linked_file(link: Link, unverifiable: set[str]) -> UpstreamFile:
    """Return the file of a link, with values that are not checked yet."""
    parts, attributes = urlsplit(link.url), link.attributes
    name, hashes = unquote(parts.path.rpartition("/")[2]), {}
    try:
        hashes = fragment_digests(parts.fragment)
    except UnverifiableError:
        unverifiable.add(name)
    # The second is the name of the first before PEP 714.
    metadata = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
    return UpstreamFile(
        name,
        "",
        link.url,
        hashes,
        None,
        None,
        attributes.get("data-requires-python"),
        attributes.get("data-yanked"),
        metadata_sha256(metadata),
        attributes.get("data-provenance"),
    )


def _page(project: str, data: Mapping[str, Any], found: Iterable[UpstreamFile], unverifiable: set[str]) -> UpstreamPage:
    """Return the page. Of a name in ``unverifiable`` no file is left: another one of that name could be any file."""
    name, versions = _text(data.get("name")) or project, data.get("versions")
    if normalize(name) != project:
        raise UnusableError("it is the page of another project")
    files: dict[str, UpstreamFile] = {}
    for count, file in enumerate(found, 1):
        files.setdefault(file.name, file)
        if count > MAX_PAGE_FILES:
            raise UnusableError(f"it has more than {MAX_PAGE_FILES} files")
    if unverifiable:
        files = {name: file for name, file in files.items() if name not in unverifiable}
        names = ", ".join(map(ascii, sorted(unverifiable)[:MAX_LOGGED_NAMES]))
        log.warning(
            "the upstream of %r gives digests that cannot be read, so these files are left out: %s", project, names
        )
    listed = [_text(version) for version in versions[:MAX_PAGE_FILES]] if isinstance(versions, list) else []
    known = {normalized_version(version) or version for version in listed if version}
    known |= {file.version for file in files.values() if file.version}
    status, reason = _status(data.get("project-status"))
    age = {version: version_sort_key(version) for version in ("", *known)}
    ordered = sorted(files.values(), key=lambda file: (age[file.version], file.name))
    return UpstreamPage(name, tuple(ordered), tuple(sorted(known, key=age.__getitem__)), status, reason)


def _checked_file(file: UpstreamFile, project: str, base: str) -> Iterator[UpstreamFile]:
    """Yield a file with its version, and without the values that no page may contain; nothing if it is unusable."""
    version = version_of(file.name, project)
    url = _plain_url(base, file.url)
    if version is not None and url is not None:
        yield replace(
            file,
            version=version,
            url=url,
            size=file.size if file.size is not None and file.size >= 0 else None,
            requires_python=_text(file.requires_python),
            # A file whose reason cannot be shown is yanked all the same.
            yanked=None if file.yanked is None else _text(file.yanked) or "",
            provenance=_plain_url(base, file.provenance) if file.provenance else None,
        )


def _plain_url(base: str, address: str) -> str | None:
    """Return the absolute URL of a link without credentials and fragment; None if it is not an HTTP URL."""
    try:
        parts = urlsplit(address if address.startswith("https://") else urljoin(base, address))
        # Reading the port raises ValueError if it is not a number in range.
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return urlunsplit((*parts[:1], parts.netloc.rpartition("@")[2], *parts[2:4], "")) if usable else None


def _status(data: Any) -> tuple[str, str]:
    data = data if isinstance(data, dict) else {}
    status = data.get("status")
    return (status if status in STATUSES else "active"), _text(data.get("reason")) or ""


def upload_time(moment: datetime | None) -> str | None:
    """Return a time as PEP 700 writes it; None if it has no time zone."""
    if moment is None or moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    except OverflowError:
        return None


def _text(value: Any) -> str | None:
    """Return a text that fits a page and a line of a header; None for any other value."""
    return value if isinstance(value, str) and len(value) <= MAX_UPSTREAM_TEXT_CHARS and value.isprintable() else None
