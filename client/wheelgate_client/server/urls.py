"""URLs of servers, users and indices: parses, builds and masks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from wheelgate_client.errors import ClientError

SEGMENTS_OF_AN_INDEX = 2
"""The user and the index, at the end of its path."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ParsedUrl(NamedTuple):
    """A URL as typed, split into address and credentials."""

    url: str
    """Scheme, host and path; no credentials, query or trailing slash."""
    basic: tuple[str, str] | None
    """User and password for HTTP basic authentication."""


def is_absolute(text: str) -> bool:
    """Tell a URL from the name of an index."""
    return "://" in text


def parse(text: str) -> ParsedUrl:
    """Parse a URL as typed.

    Raises:
        ClientError: if no request can be sent to it, or it contains only half of the credentials.
    """
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\\%]", parts.netloc.rpartition("@")[2])
    except ValueError:
        usable = False
    if not usable or parts.scheme not in _DEFAULT_PORTS:
        raise ClientError(f"invalid URL: {mask_passwords(text)}")
    basic = None
    if "@" in parts.netloc:
        if not parts.username or not parts.password:
            raise ClientError("When using basic auth, you have to provide username and password.")
        basic = (unquote(parts.username), unquote(parts.password))
    return ParsedUrl(f"{parts.scheme}://{_host(parts)}{parts.path.rstrip('/')}", basic)


def parse_index(text: str, correction: str) -> ParsedUrl:
    """Parse the URL of a server or an index as typed; ``correction`` is what to type instead, with a place for a URL.

    Raises:
        ClientError: as :func:`parse` does, or if the URL is below an index, such as the one that installers use.
    """
    parsed = parse(text)
    before, plus, below = parsed.url.partition("/+")
    if plus:
        raise ClientError(f"'{parsed.url}' is not an index, because of '+{below}': type '{correction.format(before)}'")
    return parsed


def join(base: str, *segments: str) -> str:
    """Append path segments to a URL, percent-encoded as far as a path needs it."""
    return "/".join([base.rstrip("/"), *(_quoted(segment) for segment in segments)])


def _quoted(segment: str) -> str:
    # Python passes an argument that is invalid in the user's encoding with its bytes as surrogates.
    return quote(segment, safe="!$&'()*+,;=:@", errors="surrogateescape")


def ancestors(url: str) -> Iterator[str]:
    """Yield the URLs above a URL, the nearest first, without their trailing slashes."""
    scheme, _, rest = url.partition("://")
    segments = rest.split("/")
    for count in range(len(segments) - 1, 0, -1):
        yield f"{scheme}://{'/'.join(segments[:count])}"


def parent(url: str) -> str:
    """Return the URL up to its last slash: the server's URL for that of its login."""
    return url.rpartition("/")[0] + "/"


def server_of_index(url: str) -> str:
    """Return the URL of the server of an index, with a trailing slash: that without the last two segments.

    Raises:
        ClientError: if the URL is too short for an index.
    """
    if not may_be_index(url):
        raise ClientError(f"{url} is not the URL of an index: that ends with USER/INDEX")
    return parent(parent(url.rstrip("/")).rstrip("/"))


def may_be_index(url: str) -> bool:
    """Tell whether a URL is long enough for that of an index, which ends with ``/user/index``."""
    return len([segment for segment in urlsplit(url).path.split("/") if segment]) >= SEGMENTS_OF_AN_INDEX


def origin(url: str) -> str:
    """Return scheme, host and explicit port, ``http://localhost:80/``: the key of stored basic credentials."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)}/"


def with_login(url: str, basic: tuple[str, str] | None) -> str:
    """Return the URL with user and password in it, for a configuration file."""
    if basic is None:
        return url
    username, password = (quote(part, safe="") for part in basic)
    return url.replace("://", f"://{username}:{password}@", 1)


def mask_passwords(text: str) -> str:
    """Hide the password of every URL in the text."""
    return re.sub(r"(?<=://)([^/\s:@]*:)?[^/\s]*@", r"\1****@", text)


def is_insecure(url: str) -> bool:
    """Tell whether installers only install from the host if told to trust it: no TLS, and not a loopback address."""
    parts = urlsplit(url)
    loopback = re.fullmatch(r"(.+\.)?localhost|127(\.[0-9]+){3}|::1", parts.hostname or "")
    return parts.scheme == "http" and loopback is None


def user_url(server_url: str, username: str) -> str:
    """Return the URL of a user.

    Raises:
        ClientError: if the name would lead to another URL.
    """
    if "/" in username:
        raise ClientError(f"user name contains a slash: '{username}'")
    return join(server_url, _checked_name(username))


def groups_url(server_url: str) -> str:
    """Return the URL of the list of groups."""
    return join(server_url, "+x", "groups")


def group_url(server_url: str, name: str) -> str:
    """Return the URL of a group.

    Raises:
        ClientError: if the name would lead to another URL.
    """
    if name in {"", ".", ".."} or "/" in name:
        raise ClientError(f"'{name}' is not a group name")
    return join(groups_url(server_url), name)


def index_url(server_url: str, username: str | None, text: str) -> str:
    """Return the URL of an index given as ``/user/index``, ``user/index`` or ``index`` of the user logged in.

    Raises:
        ClientError: if the name would lead to another URL, or nobody is logged in and the name has no user.
    """
    owner, _, name = text.strip("/").rpartition("/")
    if not owner:
        if username is None:
            raise ClientError(
                f"no current authenticated user, so whose index is '{name}'? Give it as USER/{name}, or log in first"
            )
        owner = username
    if "/" in owner.strip("/"):
        raise ClientError(
            f"'{text}' is not the name of a user or an index: give USER or USER/INDEX, such as"
            f" {'/'.join(owner.split('/')[:SEGMENTS_OF_AN_INDEX])}"
        )
    return join(server_url, _checked_name(owner), _checked_name(name))


def _checked_name(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name:
        raise ClientError(f"'{name}' is not the name of a user or an index: give USER or USER/INDEX")
    return name


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()
