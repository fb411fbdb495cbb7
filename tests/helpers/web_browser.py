"""A browser without a screen: follows redirects, keeps the cookie, and reads pages as a person does."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Response, Site

FORM_TYPE = "application/x-www-form-urlencoded"
VOID_TAGS = frozenset({"br", "input", "link", "meta", "img", "hr", "path", "circle"})


class Page(HTMLParser):
    """A page: its links, buttons and visible text, and the fields of its main part."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response
        self.status = response.status
        self.links: dict[str, str] = {}
        """Addresses by the text of the link; the first of a text counts."""
        self.fields: dict[str, str] = {}
        """Values by the label of the field."""
        self.buttons: list[str] = []
        self.roles: dict[str, str] = {}
        """Texts by role."""
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._labels: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str], int]] = []
        self.feed(response.content.decode())
        for identifier, label in self._labels.items():
            self.fields[label] = self._values.get(identifier, "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag in ("input", "textarea") and "id" in given:
            self._values[given["id"]] = given.get("value", "")
        if tag not in VOID_TAGS:
            self._open.append((tag, given, len(self.text)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element that has no content."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Remember what an element said."""
        while self._open:
            name, given, start = self._open.pop()
            said = re.sub(r"\s+", " ", self.text[start:]).strip()
            if name == "a":
                self.links.setdefault(said, given.get("href", ""))
            elif name == "button":
                self.buttons.append(said)
            elif name == "label" and "for" in given and any(each == "main" for each, *_ in self._open):
                self._labels[given["for"]] = said
            elif name == "textarea":
                self._values[given["id"]] = self.text[start:].removeprefix("\n")
            if given.get("role"):
                self.roles.setdefault(given["role"], said)
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        """Collect text, without that of the style sheet."""
        if not self._open or self._open[-1][0] != "style":
            self.text += data

    @property
    def said(self) -> str:
        """The visible text on one line."""
        return re.sub(r"\s+", " ", self.text)


class Browser:
    """A reader of a site."""

    def __init__(self, site: Site, **headers: str) -> None:
        self._site = site
        self._headers = {**BROWSERS["chromium"], "Origin": "http://localhost", **headers}
        self.cookie = ""
        self.address = ""

    def open(self, path: str) -> Page:
        """Open an address, and follow redirects."""
        return self._follow(self._send("GET", path), path)

    def send(self, path: str, **fields: str) -> Page:
        """Send a form, and follow where it leads."""
        body = urlencode(fields).encode()
        return self._follow(self._send("POST", path, body), path)

    def sign_in(self, user: str, password: str) -> Page:
        """Sign in."""
        return self.send("/+x/web/sign-in", user=user, password=password)

    def _send(self, method: str, path: str, body: bytes | None = None) -> Response:
        headers: dict[str, Any] = dict(self._headers)
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body is not None:
            headers["Content-Type"] = FORM_TYPE
        answer = self._site.request(method, path, body, headers=headers)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def _follow(self, answer: Response, path: str) -> Page:
        self.address = path
        for _ in range(5):
            if answer.status not in (302, 303):
                return Page(answer)
            self.address = answer.headers["location"]
            answer = self._send("GET", self.address)
        raise AssertionError(f"{path} leads in circles")
