"""URLs of upstreams: how they are configured, and which hosts get the credentials in them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from wheelgate import Index
from wheelgate.errors import BadInput
from wheelgate.fields import MASK
from wheelgate.outgoing import Outgoing, shares_login

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports of URLs without a port, by scheme; other schemes are refused."""


@dataclass(frozen=True, slots=True)
class UpstreamIndex:
    """The simple index of an upstream."""

    url: str
    """Without credentials, with a slash at the end."""
    authorization: str = field(repr=False)
    """The ``Authorization`` header for requests to its host; empty without credentials."""

    @property
    def url_hash(self) -> str:
        """A short hash of the URL. It marks stored pages, so that a mirror with a new upstream ignores the old ones."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def host_key(self, url: str) -> str:
        """Return the key of a pause for the host of a URL.

        Mirrors share pauses only if their upstream and login are the same: otherwise a user whose mirror asks a host
        for something slow or forbidden could stop all other mirrors of that host.
        """
        asking = hashlib.sha256(f"{self.url} {self.authorization}".encode()).hexdigest()[:16]
        return f"{origin(url)} {asking}"

    def page_url(self, name: str) -> str:
        """Return the URL of a project's page, or of the list of all projects if the name is empty."""
        return f"{self.url}{name}/" if name else self.url

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the credentials as headers, if ``url`` is on the host that they belong to."""
        matches = self.authorization and shares_login(self.url, url)
        return {"Authorization": self.authorization} if matches else {}


def upstream_of(index: Index) -> UpstreamIndex | None:
    """Return the upstream of a mirror; None if it has no ``mirror_url`` yet."""
    url = index.config.get("mirror_url")
    if not url:
        return None
    parts = urlsplit(url)
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + "/", "", ""))
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return UpstreamIndex(plain, "" if login == ":" else f"Basic {base64.b64encode(login.encode()).decode()}")


def origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or DEFAULT_PORTS.get(parts.scheme)}"


def mirror_url_parser(outgoing: Outgoing) -> Callable[[Any], str]:
    """Return a parser of ``mirror_url``. The URL may contain a name and a password, percent-encoded."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not _is_http_url(value):
            raise BadInput("'mirror_url' option must be a URL.")
        if MASK in value:
            raise BadInput(f"'mirror_url' option contains {MASK}, which stands for a secret: give the secret itself")
        outgoing.policy.check_url(value)
        return value

    return parse


def root_pypi_url(text: str) -> str:
    """Parse the option ``--root-pypi-url``."""
    if not _is_http_url(text):
        raise ValueError("the URL of a simple index such as https://packages.example/simple/")
    return text


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return text.isprintable() and " " not in text and _names_a_host(parts)
    except ValueError:
        return False


def _names_a_host(parts: SplitResult) -> bool:
    # Reading the port raises ValueError if it is not a number in range.
    return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0


def default_upstream() -> tuple[str, str]:
    """Return the URL of the public index's simple index, and the URL template of its project pages for people."""
    # This import costs 0.2 s and 16 MB, and a server needs it only at its first start.
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    simple = str(PYPI_SIMPLE_ENDPOINT)
    return simple, simple.removesuffix("simple/") + "project/{name}/"
