"""Tries a login token in each header, changed, and with another user's name."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import requests


def statuses(root: str, name: str, token: str) -> list[int]:
    """Try to create four indices and return the statuses.

    The first two requests send the token in Basic authentication and in the ``devpi`` command's own header; the third
    sends it without its last character, and the fourth with another user's name.
    """
    return [
        _create(f"{root}/{name}/basic", auth=(name, token)),
        _create(f"{root}/{name}/own-header", headers={"X-Devpi-Auth": _base64(f"{name}:{token}")}),
        _create(f"{root}/{name}/cut", auth=(name, token[:-1])),
        _create(f"{root}/{name}/not-mine", auth=("root", token)),
    ]


def _create(url: str, auth: tuple[str, str] | None = None, headers: Mapping[str, str] | None = None) -> int:
    return requests.put(url, json={}, auth=auth, headers=headers, timeout=30).status_code


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
