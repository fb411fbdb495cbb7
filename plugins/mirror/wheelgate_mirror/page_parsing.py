"""Reads what upstreams say about a project: JSON (PEP 691) and HTML (PEP 503), neither of them believed too much.

Each file is read by ``pypi_simple``, one by one: given a whole page of JSON, the library refuses all of it for one odd
file.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import orjson

from wheelgate.packages import STATUSES, normalize
from wheelgate_mirror.filenames import normalized_version, order, version_of
from wheelgate_mirror.pages import Offer, Page

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

LONGEST_TEXT = 2000
"""Characters of what is passed on as it is: a reason, a version specifier, an address."""
HEX = re.compile(r"[0-9a-f]+")
DIGITS = {
    name: 2 * hashlib.new(name, usedforsecurity=False).digest_size
    for name in hashlib.algorithms_guaranteed
    if not name.startswith("shake")
}
"""Of each hash that can be checked."""


TAKEN_TOO_EASILY = {"size": int, "upload-time": str}
"""Keys of a file for which the library takes other types too; to it, 5 is a time in 1970, older than any cooldown."""


class UnusableError(ValueError):
    """Raised for a page that is not what was asked for."""


def read_json(project: str, body: bytes | bytearray, url: str) -> Page:
    """Read a page of PEP 691 that came from ``url``. Raises ``ValueError`` if it is none of that project."""
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise UnusableError("no object")
    files, meta = told.get("files"), told.get("meta")
    if not isinstance(files, list):
        raise UnusableError("no list of files")
    if isinstance(meta, dict) and not str(meta.get("api-version", "1.0")).startswith("1."):
        raise UnusableError("a version of the simple API that is not known")
    return _page(project, told, list(_packages(project, files, url)), url)


def read_html(project: str, body: bytes | bytearray, url: str, charset: str | None) -> Page:
    """Read a page of PEP 503 that came from ``url``. Raises ``ValueError`` if it cannot be one.

    A page without a single file is believed only if it says itself that it belongs to a repository (PEP 629): it is
    more likely the form of a login.
    """
    # Costs 0.2 s and 16 MB, which only those spend who mirror an index.
    from pypi_simple import DistributionPackage, RepositoryPage, UnsupportedRepoVersionError

    try:
        with unwarned():
            read = RepositoryPage.from_html(bytes(body), url, charset)
    except UnsupportedRepoVersionError as error:
        raise UnusableError("a version of the simple API that is not known") from error
    packages = []
    for link in read.links:
        if "data-dist-info-metadata" in link.attrs:  # what data-core-metadata was called until PEP 714
            link.attrs.setdefault("data-core-metadata", link.attrs["data-dist-info-metadata"])
        package = DistributionPackage.from_link(link)
        package.filename = unquote(urlsplit(package.url).path.rpartition("/")[2])
        packages.append(package)
    meta = {key: values[0] for key, values in read.pypi_meta.items()}
    status = {"status": meta.get("project-status"), "reason": meta.get("project-status-reason")}
    page = _page(project, {"project-status": status}, packages, url)
    if not page.files and read.repository_version is None:
        raise UnusableError("no link to a file")
    return page


def _packages(project: str, files: Sequence[Any], url: str) -> Iterator[DistributionPackage]:
    """Read the files of a page of JSON; what is odd about one is left out, or the file, if nothing is left."""
    from pydantic import ValidationError
    from pypi_simple import DistributionPackage

    for told in files:
        if not isinstance(told, dict):
            continue
        entry = {"hashes": {}, "core-metadata": told.get("dist-info-metadata"), **told}  # its name until PEP 714
        if isinstance(entry.get("provenance"), str):
            entry["provenance"] = _address(url, entry["provenance"])
        for key, kind in TAKEN_TOO_EASILY.items():
            if type(entry.get(key)) is not kind:
                entry.pop(key, None)
        with suppress(ValueError):
            try:
                yield DistributionPackage.from_json_data(entry, project, url)
            except ValidationError as wrong:
                odd = {error["loc"][0] for error in wrong.errors()}
                rest = {key: value for key, value in entry.items() if key not in odd}
                yield DistributionPackage.from_json_data({"hashes": {}, **rest}, project, url)


@contextmanager
def unwarned() -> Iterator[None]:
    """Keep what the libraries think of an upstream's HTML out of the server's log: nobody here can mend it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _page(project: str, told: Mapping[str, Any], packages: Iterable[DistributionPackage], url: str) -> Page:
    name, versions = _text(told.get("name")) or project, told.get("versions")
    if normalize(name) != project:
        raise UnusableError("the page of another project")
    offers: dict[str, Offer] = {}
    for package in packages:
        offer = _offer(project, package, url)
        if offer is not None:
            offers.setdefault(offer.name, offer)
    listed = [_text(version) for version in versions] if isinstance(versions, list) else []
    known = {normalized_version(version) or version for version in listed if version}
    known |= {offer.version for offer in offers.values() if offer.version}
    status, reason = _status(told.get("project-status"))
    age = {version: order(version) for version in ("", *known)}
    ordered = sorted(offers.values(), key=lambda offer: (age[offer.version], offer.name))
    return Page(name, tuple(ordered), tuple(sorted(known, key=age.__getitem__)), status, reason)


def _offer(project: str, package: DistributionPackage, base: str) -> Offer | None:
    """Check one file; None if no installer could use it."""
    name = _text(package.filename)
    version = version_of(name, project) if name else None
    url = _address(base, package.url)
    if not name or version is None or url is None:
        return None
    size = package.size
    return Offer(
        name,
        version,
        url,
        _hashes(package.digests),
        size if size is not None and size >= 0 else None,
        upload_time(package.upload_time),
        _text(package.requires_python),
        "" if package.is_yanked and not package.yanked_reason else _text(package.yanked_reason),
        _hashes(package.metadata_digests or {}).get("sha256", "") if package.has_metadata else None,
        _address(base, package.provenance_url) if package.provenance_url else None,
    )


def _address(base: str, address: str) -> str | None:
    """Return where a link leads, without credentials and fragment; None if that is nowhere on the web."""
    try:
        parts = urlsplit(address if address.startswith("https://") else urljoin(base, address))
        # To read the port checks it.
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return urlunsplit((*parts[:1], parts.netloc.rpartition("@")[2], *parts[2:4], "")) if good else None


def _hashes(told: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes that can be checked."""
    found = {name: value.lower() for name, value in told.items()}
    return {name: value for name, value in found.items() if DIGITS.get(name) == len(value) and HEX.fullmatch(value)}


def _status(told: Any) -> tuple[str, str]:
    told = told if isinstance(told, dict) else {}
    status = told.get("status")
    return (status if status in STATUSES else "active"), _text(told.get("reason")) or ""


def upload_time(moment: datetime | None) -> str | None:
    """Return a time as PEP 700 writes it; None if it lacks the zone."""
    if moment is None or moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    except OverflowError:
        return None


def _text(told: Any) -> str | None:
    """Return a text that fits a page and a header's line; None for anything else."""
    return told if isinstance(told, str) and len(told) <= LONGEST_TEXT and told.isprintable() else None
