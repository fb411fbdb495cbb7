"""A release that goes to an index of another server: sent as upload tools send it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO

from wheelgate.errors import BackendUnavailable, Forbidden, UpstreamTimeout
from wheelgate.files.server_files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.packages import Link, Release
from wheelgate.services.pushing import OtherServer, Push
from wheelgate.values import Index

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16
"""Bytes that have to go out within the first of the times below."""
LONGEST_ANSWER = 64_000
"""Bytes of what the other server says that are read."""
LONGEST_SHOWN = 1000
SLOW_ANSWER = (30.0, 300.0)
"""Seconds for a connection or a piece of the file, and for the answer: some indices look long at what they get."""
FINE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
NEVER_SENT = frozenset({"name", "version", "+links", "+shadowing", "yanked"})


def publish(
    outgoing: Outgoing, files: Files, index: Index, release: Release, to: OtherServer, push: Push
) -> tuple[list[list[Any]], bool]:
    """Send a release to another server. In a thread; returns the action log, and whether all went well.

    It ends early when the other server is not there. That it needs no registration is no failure.

    Raises:
        Forbidden: this server may not connect to that address.
        BadInput: it is no web address.
    """
    outgoing.policy.refuse_literal(to.url)
    sender = Sender(outgoing, to, release)
    actions: list[list[Any]] = []
    if to.register and push.files:
        status, said = sender.send("submit")
        actions.append([status, "register", release.name, release.version, *filter(None, [said])])
    for link in release.links:
        if link.rel == "releasefile" and push.files:
            status, said = sender.send("file_upload", files, link)
            actions.append([status, "upload", f"{index.path}/{link.path}", said])
        elif link.rel == "doczip" and push.docs:
            status, said = sender.send("doc_upload", files, link)
            actions.append([status, "docfile", release.name, *filter(None, [said])])
        if sender.lost:
            break
    sender.close()
    good = not sender.lost and all(
        status in FINE or (what == "register" and status == HTTPStatus.GONE) for status, what, *_ in actions
    )
    return actions, good


class Sender:
    """Sends the parts of one release."""

    def __init__(self, outgoing: Outgoing, to: OtherServer, release: Release) -> None:
        from requests.auth import HTTPBasicAuth

        self.lost = False
        """Whether the other server was not reached."""
        self._outgoing = outgoing
        self._session = outgoing.session()
        self._session.auth = HTTPBasicAuth(to.username.encode(), to.password.encode())
        self._url = to.url
        self._release = release

    def send(self, action: str, files: Files | None = None, link: Link | None = None) -> tuple[int, str]:
        """Send one form; return the status, and what was said with it if it is a failure."""
        import requests

        fields = [(":action", action), *release_fields(self._release)]
        try:
            if files is None or link is None or link.stored is None:
                return self._post(FormBody(fields, None, "", 0))
            if link.rel == "releasefile":
                fields += file_fields(link)
            with files.open(link.stored) as content:
                return self._post(FormBody(fields, content, link.name, link.stored.size))
        except requests.RequestException as error:
            told = self._outgoing.refusal(error, self._url)
        except Forbidden:
            raise
        except BackendUnavailable as error:
            told = error
        self.lost = True
        return HTTPStatus.GATEWAY_TIMEOUT if isinstance(told, UpstreamTimeout) else HTTPStatus.BAD_GATEWAY, told.message

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _post(self, form: FormBody) -> tuple[int, str]:
        # A redirect would send the login and the file to who knows where.
        with self._session.post(
            self._url,
            data=form,
            headers={"Content-Type": form.content_type},
            allow_redirects=False,
            stream=True,
            timeout=SLOW_ANSWER,
        ) as response:
            return response.status_code, "" if response.status_code in FINE else said_by(response)


class FormBody:
    """``multipart/form-data`` with at most one file, which is read while it is sent."""

    def __init__(self, fields: list[tuple[str, str]], content: BinaryIO | None, name: str, size: int) -> None:
        from urllib3 import encode_multipart_formdata

        frame: list[Any] = list(fields)
        if content is not None:
            frame.append(("content", (name, b"", "application/octet-stream")))
        encoded, self.content_type = encode_multipart_formdata(frame)
        boundary = self.content_type.partition("boundary=")[2]
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._head = encoded.removesuffix(self._tail)
        self._content = content
        self._size = size

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while self._content is not None and (chunk := self._content.read(CHUNK)):
            yield chunk
        yield self._tail


def release_fields(release: Release) -> list[tuple[str, str]]:
    """Return what a form says of a release: its metadata under the names of version data, lists as repeated fields."""
    fields = [("protocol_version", "1"), ("name", release.name), ("version", release.version)]
    for key, value in release.metadata.items():
        if key in NEVER_SENT or key.startswith("+"):
            continue
        entries = value if isinstance(value, list | tuple) else (value,)
        fields += [(key, entry) for entry in entries if isinstance(entry, str) and entry]
    if "metadata_version" not in release.metadata:
        fields.append(("metadata_version", "2.1"))
    return fields


def file_fields(link: Link) -> list[tuple[str, str]]:
    """Return what a form says of a file."""
    name = link.name
    hashes: Mapping[str, str] = link.hashes
    wheel = re.fullmatch(r".+-([^-]+)-[^-]+-[^-]+\.whl", name)
    fields = [
        ("filetype", "bdist_wheel" if wheel else "sdist"),
        ("pyversion", wheel[1] if wheel else "source"),
        ("sha256_digest", link.stored.sha256 if link.stored else hashes.get("sha256", "")),
    ]
    return fields + [(f"{name}_digest", hashes[name]) for name in ("md5", "blake2_256") if hashes.get(name)]


def said_by(response: requests.Response) -> str:
    """Return the reason of a refusal: from the status line where it says more than its code, else the text."""
    phrase = HTTPStatus(response.status_code).phrase if response.status_code in set(HTTPStatus) else ""
    reason = printable(str(response.reason or ""))
    if reason and reason != phrase:
        return reason
    if "html" in response.headers.get("Content-Type", ""):
        return phrase
    body = next(response.iter_content(LONGEST_ANSWER), b"")
    return printable(body.decode("utf-8", "replace")) or phrase


def printable(text: str) -> str:
    """Make one line of a text, cut to a length that can be shown."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:LONGEST_SHOWN]
