"""Addresses of upstreams: how they are configured, and which of them the credentials are for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from wheelgate import Index
from wheelgate.errors import BadInput
from wheelgate.outgoing import Outgoing

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """The simple index of an upstream."""

    simple: str
    """Its address, without credentials, with a slash at the end."""
    login: str = field(repr=False)
    """The header ``Authorization`` for requests to that host; empty without credentials."""

    @property
    def source(self) -> str:
        """A short text that stands for the address: what another upstream said is not taken for this one's."""
        return hashlib.sha256(self.simple.encode()).hexdigest()[:16]

    def page(self, name: str) -> str:
        """Return the address of a project's page, or of the list of all if the name is empty."""
        return f"{self.simple}{name}/" if name else self.simple

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers of a request to that address: the login, if it is meant for that host."""
        return {"Authorization": self.login} if self.login and origin(url) == origin(self.simple) else {}


def place_of(index: Index) -> Place | None:
    """Return where a mirror's packages come from; None if it was not said yet."""
    url = index.config.get("mirror_url")
    if not url:
        return None
    parts = urlsplit(url)
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/") + "/", "", ""))
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return Place(plain, "" if login == ":" else f"Basic {base64.b64encode(login.encode()).decode()}")


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or PORTS.get(parts.scheme)}"


def mirror_url_parser(outgoing: Outgoing) -> Callable[[Any], str]:
    """Make a reader of the address of a simple index; it may hold a name and a password, percent-encoded."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not _is_address(value):
            raise BadInput("'mirror_url' option must be a URL.")
        outgoing.policy.check_url(value)
        return value

    return parse


def root_pypi_url(text: str) -> str:
    """Read the option ``--root-pypi-url``."""
    if not _is_address(text):
        raise ValueError("the address of a simple index such as https://packages.example/simple/")
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return text.isprintable() and " " not in text and _leads_somewhere(parts)
    except ValueError:
        return False


def _leads_somewhere(parts: SplitResult) -> bool:
    # To read the port checks it.
    return parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0


def default_upstream() -> tuple[str, str]:
    """Return the public index's simple index, and the form of its projects' pages."""
    # Costs 0.2 s and 16 MB, and is needed once in the life of a server.
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    simple = str(PYPI_SIMPLE_ENDPOINT)
    return simple, simple.removesuffix("simple/") + "project/{name}/"
