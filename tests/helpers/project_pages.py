"""Opens the pages of projects in a browser, and reads them as a person does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from tests.helpers.distributions import Distribution
from tests.helpers.upload_forms import encode, file_fields
from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Response, Site

ROOT = ("root", "")


def make_index(site: Site, path: str, **config: Any) -> str:
    """Create an index that root uploads to, and return its path."""
    given = {"acl_upload": ["root"], **config} if config.get("type", "stage") == "stage" else config
    assert site.request("PUT", f"/{path}", given, auth=ROOT).status == 200
    return path


def page(
    site: Site, path: str, auth: tuple[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Open a page in a browser."""
    return site.request("GET", path, auth=auth, headers={**BROWSERS["chromium"], **(headers or {})})


def text_of(answer: Response) -> str:
    """Return the visible text of a page's main part, with one space for each gap."""
    html = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def section(answer: Response, heading: str) -> str:
    """Return the HTML of the section below a heading."""
    found = re.search(rf"<h2[^>]*>{heading}</h2>(.*?)</section>", answer.content.decode(), re.DOTALL)
    assert found is not None, heading
    return found[1]


def links(html: str) -> dict[str, str]:
    """Return the addresses of links by their text."""
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return {unescape(re.sub(r"<[^>]*>", "", text)): unescape(url) for url, text in found}


def upload_with(site: Site, index: str, dist: Distribution, fields: list[tuple[str, str]]) -> None:
    """Upload a file with fields that may occur more than once."""
    body, headers = encode([*file_fields(dist), *fields])
    answer = site.request("POST", f"/{index}/", body, auth=ROOT, headers=headers)
    assert answer.status == 200, answer.content
