"""Checks and compares the URLs that writers write and find."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from wheelgate_client.hookspecs import ConfigError


def checked_url(url: str) -> str:
    """Return the URL if it fits on one line of a file; the server may have chosen it.

    Raises:
        ConfigError: It does not. The text does not repeat the URL: it may contain a password.
    """
    if " " in url or not url.isprintable() or not _is_http(url):
        raise ConfigError(
            "The URL of the index is not an http or https URL, or contains blanks or control characters, so it is"
            " not written to any configuration file. Look at it with 'devpi use --urls'."
        )
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def has_credential(url: str) -> bool:
    """Tell whether the URL carries ``user:password@`` or ``user@``."""
    return "@" in urlsplit(url).netloc


def without_credential(url: str) -> str:
    """Return the URL without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def same_host(url: object, other: str) -> bool:
    """Tell whether both URLs have the same scheme, host and port."""
    return points_at(url, urljoin(other, "/"))


def points_at(url: object, server_url: str) -> bool:
    """Tell whether ``url`` is a URL below ``server_url``; their credentials do not matter."""
    try:
        return isinstance(url, str) and _normalized(url).startswith(_normalized(server_url).rstrip("/") + "/")
    except ValueError:
        # The value in the file may not be a URL.
        return False


def _normalized(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path or '/'}"
