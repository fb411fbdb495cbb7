"""The search page as a browser gets it, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

from wheelgate.testing.site import Response, Site

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "User-Agent": "Mozilla/5.0"}
RESULT = re.compile(r'<li><a class="mono" href="/([^"]*)">')
SUGGESTION = re.compile(r'<li><a href="/([^"]*)">')


@dataclass(frozen=True)
class Found:
    """A search page."""

    response: Response

    @property
    def text(self) -> str:
        """The part of the page that answers."""
        page = self.response.content.decode()
        return page[page.index("<main") : page.index("</main>")]

    @property
    def addresses(self) -> list[str]:
        """The projects, ``owner/index/name``, in order."""
        return [unescape(address) for address in RESULT.findall(self.text)]

    @property
    def names(self) -> list[str]:
        """The names of the projects, in order."""
        return [address.rpartition("/")[2] for address in self.addresses]

    @property
    def corrections(self) -> list[str]:
        """The names that the page asks about."""
        _, _, question = self.text.partition("Did you mean")
        return re.findall(r"<bdi>([^<]*)</bdi>", question)


def search(site: Site, query: str, auth: tuple[str, str] | None = None, page: str = "") -> Found:
    """Search for projects."""
    more = f"&page={page}" if page else ""
    response = site.request("GET", f"/+x/web/search?q={quote(query)}{more}", auth=auth, headers=BROWSER)
    assert response.status == 200, response.content
    return Found(response)


def suggestions(site: Site, query: str, auth: tuple[str, str] | None = None) -> list[str]:
    """Return the suggested projects, ``owner/index/name``."""
    response = site.request("GET", f"/+x/web/suggestions?q={quote(query)}", auth=auth, headers=BROWSER)
    assert response.status == 200, response.content
    return SUGGESTION.findall(response.content.decode())
