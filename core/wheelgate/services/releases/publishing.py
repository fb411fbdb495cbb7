"""Pushes to an index of another server: a release is sent as upload tools send it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO

from wheelgate.errors import BackendUnavailable, Forbidden, UpstreamTimeout
from wheelgate.files.server_files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.packages import Release, ReleaseFile
from wheelgate.services.releases.pushing import OtherServer, PushRequest
from wheelgate.values import Index

if TYPE_CHECKING:
    import requests

SENT_CHUNK_BYTES = 1 << 16
"""Bytes of a chunk of the file; the first of the timeouts below applies to each."""
MAX_ANSWER_BYTES = 64_000
"""Bytes of the other server's answer that are read."""
MAX_QUOTED_ANSWER_CHARS = 1000
"""Characters of it that the user gets to see."""
PUBLISH_TIMEOUTS_SECONDS = (30.0, 300.0)
"""For the connection and each chunk of the file, and for the answer: some indices inspect uploads for minutes."""
ACCEPTED_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
UNSENT_METADATA = frozenset({"name", "version", "+links", "+shadowing", "yanked"})
"""Keys of version data that are sent in another way, or are not for other servers."""


def publish(
    outgoing: Outgoing, files: Files, index: Index, release: Release, to: OtherServer, push: PushRequest
) -> tuple[list[list[Any]], bool]:
    """Send a release to another server; return the action log, and whether everything was accepted.

    It stops when the other server cannot be reached. A server that answers a registration with 410, because it needs
    none, counts as accepting it. Call this in a thread.

    Raises:
        Forbidden: this server may not connect to that address, or is offline.
        BadInput: the address is not an http or https URL.
    """
    outgoing.policy.check_request(to.url)
    sender = ReleaseSender(outgoing, to, release)
    actions: list[list[Any]] = []
    if to.register and push.files:
        status, reason = sender.send("submit")
        actions.append([status, "register", release.name, release.version, *filter(None, [reason])])
    for link in release.files:
        if link.rel == "releasefile" and push.files:
            status, reason = sender.send("file_upload", files, link)
            actions.append([status, "upload", f"{index.path}/{link.path}", reason])
        elif link.rel == "doczip" and push.docs:
            status, reason = sender.send("doc_upload", files, link)
            actions.append([status, "docfile", release.name, *filter(None, [reason])])
        if sender.unreachable:
            break
    sender.close()
    accepted = not sender.unreachable and all(
        status in ACCEPTED_STATUSES or (action == "register" and status == HTTPStatus.GONE)
        for status, action, *_ in actions
    )
    return actions, accepted


class ReleaseSender:
    """Sends the parts of one release."""

    def __init__(self, outgoing: Outgoing, to: OtherServer, release: Release) -> None:
        from requests.auth import HTTPBasicAuth

        self.unreachable = False
        """Whether the other server could not be reached."""
        self._outgoing = outgoing
        self._session = outgoing.session()
        self._session.auth = HTTPBasicAuth(to.username.encode(), to.password.encode())
        self._url = to.url
        self._release = release

    def send(self, action: str, files: Files | None = None, link: ReleaseFile | None = None) -> tuple[int, str]:
        """Send one form; return the status, and the reason if the other server refuses."""
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
            refusal = self._outgoing.refusal(error, self._url)
        except Forbidden:
            raise
        except BackendUnavailable as error:
            refusal = error
        self.unreachable = True
        timed_out = isinstance(refusal, UpstreamTimeout)
        return HTTPStatus.GATEWAY_TIMEOUT if timed_out else HTTPStatus.BAD_GATEWAY, refusal.message

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _post(self, form: FormBody) -> tuple[int, str]:
        # A redirect could send the login and the file to any other server.
        with self._session.post(
            self._url,
            data=form,
            headers={"Content-Type": form.content_type},
            allow_redirects=False,
            stream=True,
            timeout=PUBLISH_TIMEOUTS_SECONDS,
        ) as response:
            return response.status_code, "" if response.status_code in ACCEPTED_STATUSES else refusal_reason(response)


class FormBody:
    """A ``multipart/form-data`` body with at most one file, which is read while it is sent."""

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
        while self._content is not None and (chunk := self._content.read(SENT_CHUNK_BYTES)):
            yield chunk
        yield self._tail


def release_fields(release: Release) -> list[tuple[str, str]]:
    """Return the form fields of a release: its metadata under the keys of version data, lists as repeated fields."""
    fields = [("protocol_version", "1"), ("name", release.name), ("version", release.version)]
    for key, value in release.metadata.items():
        if key in UNSENT_METADATA or key.startswith("+"):
            continue
        entries = value if isinstance(value, list | tuple) else (value,)
        fields += [(key, entry) for entry in entries if isinstance(entry, str) and entry]
    if "metadata_version" not in release.metadata:
        fields.append(("metadata_version", "2.1"))
    return fields


def file_fields(link: ReleaseFile) -> list[tuple[str, str]]:
    """Return the form fields of a file."""
    name = link.name
    hashes: Mapping[str, str] = link.hashes
    wheel = re.fullmatch(r".+-([^-]+)-[^-]+-[^-]+\.whl", name)
    fields = [
        ("filetype", "bdist_wheel" if wheel else "sdist"),
        ("pyversion", wheel[1] if wheel else "source"),
        ("sha256_digest", link.stored.sha256 if link.stored else hashes.get("sha256", "")),
    ]
    return fields + [(f"{name}_digest", hashes[name]) for name in ("md5", "blake2_256") if hashes.get(name)]


def refusal_reason(response: requests.Response) -> str:
    """Return why the other server refuses: from the status line if that says more than its code, else from the body."""
    phrase = HTTPStatus(response.status_code).phrase if response.status_code in set(HTTPStatus) else ""
    reason = one_line(str(response.reason or ""))
    if reason and reason != phrase:
        return reason
    if "html" in response.headers.get("Content-Type", ""):
        return phrase
    body = next(response.iter_content(MAX_ANSWER_BYTES), b"")
    return one_line(body.decode("utf-8", "replace")) or phrase


def one_line(text: str) -> str:
    """Return a text as one printable line, cut to ``MAX_QUOTED_ANSWER_CHARS``."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:MAX_QUOTED_ANSWER_CHARS]
