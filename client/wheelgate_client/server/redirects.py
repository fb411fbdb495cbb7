"""Redirects of an index server: followed on the same server, reported for another one."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urljoin

import requests

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

MAX_REDIRECTS = 5


def redirect_url(method: str, url: str, response: requests.Response) -> str:
    """Return the URL to repeat a request at.

    Raises:
        ClientError: if the URL is on another server, or the redirect would turn a change into a GET.
    """
    target = redirect_target(url, response)
    if method != "GET" and response.status_code not in {
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }:
        raise ClientError(
            f"'{url}' has moved to '{target}', nothing was changed: type 'devpi use URL' with the new URL"
        )
    return target


def redirect_target(url: str, response: requests.Response) -> str:
    """Return the URL that a redirect leads to.

    Raises:
        ClientError: if it is on another server.
    """
    target = urljoin(url, response.headers["Location"])
    if not _is_same_server(url, target):
        raise ClientError(
            f"'{url}' redirects to another server, '{urls.mask_passwords(target)}':"
            " nothing was sent there; type 'devpi use URL' with that server's URL if you trust it"
        )
    return target


def redirect_loop(url: str) -> ClientError:
    """Return the error for too many redirects."""
    return ClientError(
        f"'{url}' redirects more than {MAX_REDIRECTS} times: the server, or a proxy in front of it, is misconfigured"
    )


def _is_same_server(url: str, target: str) -> bool:
    """Compare scheme, host and port; a redirect to https on the same host is fine too."""
    try:
        return urls.origin(target) in {urls.origin(url), urls.origin(url.replace("http:", "https:", 1))}
    except ValueError:
        return False
