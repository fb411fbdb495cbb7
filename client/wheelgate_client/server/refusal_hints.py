"""What to do after a refusal: the next command for a missing user, index, group or project, or for a missing login."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

_NAME = r"[\w.@+:-]+"
_PATH = rf"{_NAME}/{_NAME}"
_INDEX_HINT = "'devpi use -l' lists the indices, 'devpi index -c {0}' creates one"
_PROJECT_HINT = "'devpi list' lists the projects of the index in use"
_VERSION_HINT = "'devpi list --all {0}' lists the versions"
_HINTS = (
    (rf"no user '({_NAME})'", "'devpi user -l' lists the users, 'devpi user -c {0}' creates one"),
    (rf"The stage ({_PATH}) could not be found\.", _INDEX_HINT),
    (rf"base index '({_PATH})' does not exist", _INDEX_HINT),
    (rf"no group '({_NAME})'", "'devpi group -l' lists the groups, 'devpi group -c {0}' creates one"),
    (rf"no project '({_NAME})'", _PROJECT_HINT),
    (rf"The project ({_NAME}) does not exist\.", _PROJECT_HINT),
    (rf"The version \S+ of project ({_NAME}) does not exist.*", _VERSION_HINT),
    (rf"version \S+ of project '({_NAME})' not found.*", _VERSION_HINT),
    (rf"no release/files found for ({_NAME}) .*", _VERSION_HINT),
    (r"you have no token .*", "'devpi token list' shows the IDs"),
)
"""The messages of index servers, as regular expressions, and what to type next; only plain names get into commands."""


def refusal_hint(response: requests.Response, message: str, login_hint: str) -> str:
    """Return what to do about a refusal by an index server; empty if its message is enough."""
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return "" if str(response.url).endswith("/+login") else login_hint
    for pattern, hint in _HINTS:
        found = re.fullmatch(pattern, message)
        if found is not None:
            return hint.format(*found.groups())
    return ""


def proxy_hint(response: requests.Response, text: bytes) -> str:
    """Return what to do about a refusal that does not come from an index server."""
    status, url = response.status_code, urlsplit(str(response.url))
    if status == HTTPStatus.BAD_REQUEST and url.scheme == "http" and b"HTTPS" in text:
        return f"this port speaks TLS: type the URL with https://{url.netloc}"
    if status == HTTPStatus.BAD_REQUEST and b"SSL certificate" in text:  # nginx says so
        return f"it requires a client certificate: type 'devpi use https://{url.netloc} --client-cert FILE'"
    if status == HTTPStatus.UNAUTHORIZED:
        host = f"{url.scheme}://USER:PASSWORD@{url.netloc}"
        return f"a proxy in front of the server asks for a password: type 'devpi use {host}'"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return (
            "this comes from a proxy in front of the server, or from another web server: is the server behind it"
            " running? Try again later, or ask its administrator"
        )
    return "this comes from a proxy in front of the server, or from another web server: ask its administrator"
