"""URLs of servers, users and indices: taken apart, put together, made fit to be shown."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from wheelgate_client.errors import ClientError

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """A URL as typed, with the credentials that it carried kept apart."""

    url: str
    """Scheme, host and path; no credentials, query or trailing slash."""
    basic: tuple[str, str] | None


def is_absolute(text: str) -> bool:
    """Tell a URL from the name of an index."""
    return "://" in text


def parse(text: str) -> Address:
    """Take apart a URL that was typed.

    Raises:
        ClientError: if no request can be sent to it.
    """
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\\%]", parts.netloc.rpartition("@")[2])
    except ValueError:
        usable = False
    if not usable or parts.scheme not in _DEFAULT_PORTS:
        raise ClientError(f"invalid URL: {masked(text)}")
    basic = None
    if "@" in parts.netloc:
        if not parts.username or not parts.password:
            raise ClientError("When using basic auth, you have to provide username and password.")
        basic = (unquote(parts.username), unquote(parts.password))
    return Address(f"{parts.scheme}://{_host(parts)}{parts.path.rstrip('/')}", basic)


def join(base: str, *segments: str) -> str:
    """Put names behind a URL, percent-encoded as far as a path needs it."""
    return "/".join([base.rstrip("/"), *(_quoted(segment) for segment in segments)])


def _quoted(segment: str) -> str:
    # An argument that is no text in the user's encoding comes with its bytes as surrogates.
    return quote(segment, safe="!$&'()*+,;=:@", errors="surrogateescape")


def parent(url: str) -> str:
    """Return the URL up to its last slash: the server's, given that of its login."""
    return url.rpartition("/")[0] + "/"


def origin(url: str) -> str:
    """Return scheme, host and explicit port, ``http://localhost:80/``: the key of stored basic credentials."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)}/"


def with_credentials(url: str, basic: tuple[str, str] | None) -> str:
    """Return the URL with user and password in it, for a configuration file."""
    if basic is None:
        return url
    username, password = (quote(part, safe="") for part in basic)
    return url.replace("://", f"://{username}:{password}@", 1)


def masked(text: str) -> str:
    """Hide the password of every URL in the text."""
    return re.sub(r"(?<=://)([^/\s:@]*:)?[^/\s]*@", r"\1****@", text)


def is_insecure(url: str) -> bool:
    """Tell whether installers refuse the host of ``url`` unless told to trust it: no TLS, and not this machine."""
    parts = urlsplit(url)
    loopback = re.fullmatch(r"(.+\.)?localhost|127(\.[0-9]+){3}|::1", parts.hostname or "")
    return parts.scheme == "http" and loopback is None


def user_url(root: str, username: str) -> str:
    """Return the URL of a user.

    Raises:
        ClientError: if the name would lead elsewhere.
    """
    if "/" in username:
        raise ClientError(f"user name contains a slash: '{username}'")
    return join(root, _name(username))


def groups_url(root: str, name: str = "") -> str:
    """Return the URL of a group, or of the list of all.

    Raises:
        ClientError: if the name would lead elsewhere.
    """
    if name in {".", ".."} or "/" in name:
        raise ClientError(f"'{name}' is no name of a group")
    return join(root, "+x", "groups", *([name] if name else []))


def index_url(root: str, username: str | None, text: str) -> str:
    """Return the URL of an index given as ``/user/index``, ``user/index`` or ``index`` of the user logged in.

    Raises:
        ClientError: if the name would lead elsewhere, or it is open whose index is meant.
    """
    owner, _, name = text.strip("/").rpartition("/")
    if not owner:
        if username is None:
            raise ClientError(
                f"no current authenticated user, so whose index is '{name}'? Give it as USER/{name}, or log in first"
            )
        owner = username
    return join(root, _name(owner), _name(name))


def _name(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name:
        raise ClientError(f"'{name}' is no name of a user or an index: give USER or USER/INDEX")
    return name


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()
