"""Parsers of an upstream's project pages: JSON (PEP 691) and HTML (PEP 503). They check every field.

``pypi_simple`` parses each file on its own: given a whole page of JSON, it refuses all files if one is invalid.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import orjson

from wheelgate.packages import STATUSES, normalize
from wheelgate_mirror.digests import UnverifiableError, fragment_digests, json_digests, metadata_sha256
from wheelgate_mirror.empty_pages import is_empty_index
from wheelgate_mirror.filenames import normalized_version, version_of, version_sort_key
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

MAX_UPSTREAM_TEXT_CHARS = 2000
"""Characters of a text that is passed on unchanged: a reason, a version specifier, a URL."""
MAX_LOGGED_NAMES = 10
"""Names of files in one line of the log."""
STRICT_TYPES = {"size": int, "upload-time": str}
"""Keys of a file where ``pypi_simple`` takes other types too: to it, 5 is a time in 1970, older than any cooldown."""

log = logging.getLogger("wheelgate.mirror")


class UnusableError(ValueError):
    """Raised for a response that is not the page it should be."""


class EmptyPageError(UnusableError):
    """Raised for the page of an index that has nothing."""


def parse_json_page(project: str, body: bytes | bytearray, url: str) -> UpstreamPage:
    """Parse a JSON page of PEP 691 from ``url``. Raise ``ValueError`` if it is not a page of the project."""
    data = orjson.loads(body)
    if not isinstance(data, dict):
        raise UnusableError("its JSON is not an object")
    files, meta = data.get("files"), data.get("meta")
    if not isinstance(files, list):
        raise UnusableError("it has no list of files")
    if isinstance(meta, dict) and not str(meta.get("api-version", "1.0")).startswith("1."):
        raise UnusableError("it has an unknown version of the simple API")
    unverifiable: set[str] = set()
    return _page(project, data, list(_packages(project, files, url, unverifiable)), unverifiable, url)


def parse_html_page(project: str, body: bytes | bytearray, url: str, charset: str | None) -> UpstreamPage:
    """Parse an HTML page of PEP 503 from ``url``. Raise ``ValueError`` if it cannot be a page of the project.

    A page without files must declare that it belongs to a repository (PEP 629), or be empty, which raises
    ``EmptyPageError``: some indices send one in place of a 404. Any other page is more likely a login form.
    """
    # This import costs 0.2 s and 16 MB. Only a server whose upstreams send HTML should pay for it.
    from pypi_simple import DistributionPackage, RepositoryPage, UnsupportedRepoVersionError

    try:
        with suppress_warnings():
            parsed = RepositoryPage.from_html(bytes(body), url, charset)
    except UnsupportedRepoVersionError as error:
        raise UnusableError("it has an unknown version of the simple API") from error
    packages, unverifiable = [], set()
    for link in parsed.links:
        link.url = link.url.strip()
        package = DistributionPackage.from_link(link)
        package.filename = unquote(urlsplit(package.url).path.rpartition("/")[2])
        try:
            package.digests = fragment_digests(urlsplit(link.url).fragment)
        except UnverifiableError:
            unverifiable.add(package.filename)
        names = ("data-core-metadata", "data-dist-info-metadata")  # the second is its name before PEP 714
        _set_metadata(package, next((link.attrs[name] for name in names if name in link.attrs), None))
        packages.append(package)
    meta = {key: values[0] for key, values in parsed.pypi_meta.items()}
    status = {"status": meta.get("project-status"), "reason": meta.get("project-status-reason")}
    page = _page(project, {"project-status": status}, packages, unverifiable, url)
    if not page.files and parsed.repository_version is None:
        if is_empty_index(body, url, charset, project):
            raise EmptyPageError("it has no link to a file")
        raise UnusableError("it has no link to a file")
    return page


def _packages(project: str, files: Sequence[Any], url: str, unverifiable: set[str]) -> Iterator[DistributionPackage]:
    """Parse the files of a JSON page, without their invalid keys. A file that still cannot be parsed is left out.

    The names of files whose digests cannot be read are added to ``unverifiable``.
    """
    from pydantic import ValidationError
    from pypi_simple import DistributionPackage

    for data in files:
        if not isinstance(data, dict):
            continue
        metadata = data.get("core-metadata", data.get("dist-info-metadata"))  # the second is its name before PEP 714
        entry = {key: value for key, value in data.items() if key not in ("core-metadata", "dist-info-metadata")}
        if isinstance(entry.get("provenance"), str):
            entry["provenance"] = _plain_url(url, entry["provenance"])
        for key, expected in STRICT_TYPES.items():
            if type(entry.get(key)) is not expected:
                entry.pop(key, None)
        try:
            entry["hashes"] = json_digests(data.get("hashes"))
        except UnverifiableError:
            unverifiable.add(str(data.get("filename")))
            continue
        with suppress(ValueError):
            try:
                package = DistributionPackage.from_json_data(entry, project, url)
            except ValidationError as error:
                invalid = {detail["loc"][0] for detail in error.errors()}
                rest = {key: value for key, value in entry.items() if key not in invalid}
                package = DistributionPackage.from_json_data(rest, project, url)
            _set_metadata(package, metadata)
            yield package


def _set_metadata(package: DistributionPackage, given: object) -> None:
    """Set what is known of the metadata next to a file; ``given`` is the value of ``core-metadata``."""
    sha256 = metadata_sha256(given)
    package.has_metadata = sha256 is not None
    package.metadata_digests = {"sha256": sha256} if sha256 else {}


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Keep the libraries' warnings about an upstream's HTML out of the log: no reader of the log can fix that HTML."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _page(
    project: str, data: Mapping[str, Any], packages: Iterable[DistributionPackage], unverifiable: set[str], url: str
) -> UpstreamPage:
    """Return the page. Of a name in ``unverifiable`` no file is left: another one of that name could be any file."""
    name, versions = _text(data.get("name")) or project, data.get("versions")
    if normalize(name) != project:
        raise UnusableError("it is the page of another project")
    files: dict[str, UpstreamFile] = {}
    for package in packages:
        file = _file(project, package, url)
        if file is not None and file.name not in unverifiable:
            files.setdefault(file.name, file)
    if unverifiable:
        names = ", ".join(map(ascii, sorted(unverifiable)[:MAX_LOGGED_NAMES]))
        log.warning(
            "the upstream of %r gives digests that cannot be read, so these files are left out: %s", project, names
        )
    listed = [_text(version) for version in versions] if isinstance(versions, list) else []
    known = {normalized_version(version) or version for version in listed if version}
    known |= {file.version for file in files.values() if file.version}
    status, reason = _status(data.get("project-status"))
    age = {version: version_sort_key(version) for version in ("", *known)}
    ordered = sorted(files.values(), key=lambda file: (age[file.version], file.name))
    return UpstreamPage(name, tuple(ordered), tuple(sorted(known, key=age.__getitem__)), status, reason)


def _file(project: str, package: DistributionPackage, base: str) -> UpstreamFile | None:
    """Check one file; None if no installer could use it."""
    name = _text(package.filename)
    version = version_of(name, project) if name else None
    url = _plain_url(base, package.url)
    if not name or version is None or url is None:
        return None
    size = package.size
    return UpstreamFile(
        name,
        version,
        url,
        package.digests,
        size if size is not None and size >= 0 else None,
        upload_time(package.upload_time),
        _text(package.requires_python),
        "" if package.is_yanked and not package.yanked_reason else _text(package.yanked_reason),
        (package.metadata_digests or {}).get("sha256", "") if package.has_metadata else None,
        _plain_url(base, package.provenance_url) if package.provenance_url else None,
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
