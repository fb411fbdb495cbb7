"""What the writers ask of a URL."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from wheelgate_client.hookspecs import ConfigError


def checked(url: str) -> str:
    """Return the URL, which a server may have chosen, if it is one that stays within its line of a file.

    Raises:
        ConfigError: It is no such URL. The text does not repeat it: it may hold a password.
    """
    if " " in url or not url.isprintable() or not _is_http(url):
        raise ConfigError(
            "The URL of the index is not an http or https URL without blanks and control characters, so it is"
            " written to no configuration file. Look at it with 'devpi use --urls'."
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
    """Return the URL as others may see it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def same_host(url: object, other: str) -> bool:
    """Tell whether both URLs lead to one scheme, host and port."""
    return points_at(url, urljoin(other, "/"))


def points_at(url: object, server_url: str) -> bool:
    """Tell whether ``url`` is a URL below ``server_url``, whatever credentials either carries."""
    try:
        return isinstance(url, str) and _place(url).startswith(_place(server_url).rstrip("/") + "/")
    except ValueError:
        # What a file holds need not be a URL.
        return False


def _place(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path or '/'}"
