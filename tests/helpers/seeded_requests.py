"""Hostile requests from a seed: the request of a number is the same in each run, but for the credentials in it."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.helpers.distributions import sdist, wheel
from tests.helpers.upload_forms import address, encode, file_fields

FILES = [wheel("abc", "1.0"), wheel("abc", "2.0"), sdist("xyz", "0.1")]
"""The files on the indices; uploads send them again, whole or damaged."""
USERS, INDICES = ["emilie", "sophie"], ["dev", "prod", "mirrored"]
PARAMETERS: Mapping[str, Sequence[str]] = {
    "user": [*USERS, *USERS, "root", "nobody"],
    "index": [*INDICES, *INDICES, "pypi", "new"],
    "project": ["abc", "xyz", "ABC", "a_b.c", "absent"],
    "version": ["1.0", "2.0", "0.1", "1.0.post0", "latest", "9" * 30],
    "first": [address(file).split("/")[1] for file in FILES],
    "second": [address(file).split("/")[2] for file in FILES],
    "folder": ["abc", "00", "+f"],
    "name": [name for file in FILES for name in (file.filename, f"{file.filename}.metadata", f"{file.filename}.sig")],
    "id": ["0" * 16, "x"],
}
"""Values of the parameters of paths, most of which exist."""
GARBAGE = [
    "",
    ".",
    "..",
    "%00",
    "%2F",
    "%ff",
    "+",
    "+f",
    ":all",
    "~",
    "*",
    "é",
    "\u202e",
    "a" * 300,
    "' OR 1=1 --",
    "%0d%0a",
]
METHODS = (
    ["GET"] * 4 + ["POST"] * 3 + ["PUT", "PATCH", "DELETE"] * 2 + ["HEAD", "OPTIONS", "TRACE", "PUSH", "CONNECT", "FOO"]
)
DEAD_URLS = [
    "http://127.0.0.1:9/simple/",
    "http://[::1]:9/",
    "https://127.0.0.1:9",
    "http://127.0.0.1:99999/",
    "http://[",
    "ftp://127.0.0.1/",
]
"""Upstreams and targets of a push; nothing listens there."""
TEXTS = ["", "a", "1.0", "abc", "root", "root/pypi", "emilie/dev", ":ANONYMOUS:", ":AUTHENTICATED:", "e\u0301", "\0"]
TEXTS += ["a\nb", "x" * 3000, "[a,b]", "=1"]
HEADER_VALUES = [
    "",
    " ",
    ",",
    ";",
    "=",
    "*",
    "null",
    "a" * 500,
    "\x01",
    "\t",
    "é",
    "\xff\xfe",
    '"',
    "1" * 40,
    "-1",
    "a,b;c=d, e",
]
# fmt: off
HEADERS: Mapping[str, Sequence[str]] = {
    "Origin": ["null", "http://127.0.0.1", "https://other.example", "http://[", "http://a:b:c", "://"],
    "Sec-Fetch-Site": ["cross-site", "same-origin", "none"],
    "Forwarded": ['for=127.0.0.1;host="a"', "for=", "for=_x;;;", "by=[::1]:x", '"'],
    "X-Forwarded-For": ["127.0.0.1", "1.2.3.4, x", "::1", "[::1]:5", "999.1.1.1"],
    "X-Forwarded-Host": ["a.example", "a:b", "[::1", "a.example, b.example", "a/b", "é"],
    "X-Forwarded-Proto": ["https", "http, https", "gopher"],
    "X-Forwarded-Port": ["443", "99999", "x"],
    "X-Forwarded-Prefix": ["/a", "//a", "/..", "a b"],
    "X-Outside-Url": ["http://a.example/x", "javascript:1", "http://[", "http://a:x"],
    "X-Original-URI": ["/emilie/dev", "/%", "//a/b", "/emilie/dev?%", "http://["],
    "Authorization": ["Basic", "Basic é", "Basic OjpA", "Basic " + "A" * 4000, "Bearer", "Bearer wgs_x", "Negotiate x",
                      "basic cm9vdDo="],
    "X-Devpi-Auth": ["cm9vdDo=", "cm9vdA==", "====", "A" * 4000, "AAA"],
    "Range": ["bytes=0-", "bytes=-1", "bytes=5-2", "bytes=0-0,2-3", "bytes=99999999-", f"bytes={'9' * 30}-", "lines=1",
              "bytes=a-b", "bytes=-0"],
    "If-Range": ["Wed, 21 Oct 2015 07:28:00 GMT", '"x"', "W/"],
    "If-None-Match": ["*", '"x"', 'W/"x', ",,"],
    "If-Match": ["*", '"x"'],
    "If-Modified-Since": ["Wed, 21 Oct 2015 07:28:00 GMT", "yesterday", "Wed, 99 Foo 99999 99:99:99 GMT"],
    "Accept": ["application/vnd.pypi.simple.v1+json", "text/html;q=x", "*/*;q=0", "a/b/c", ";q=1", "text/*;q=1e9"],
    "Accept-Encoding": ["gzip", "zstd", "gzip;q=0, *;q=0", "identity;q=0", ";;"],
    "Content-Type": ["application/json", "multipart/form-data", "multipart/form-data; boundary=", "/",
                     "multipart/form-data; boundary=" + "x" * 90, "application/x-www-form-urlencoded; charset=utf-7",
                     "text/plain; charset=zz"],
    "Content-Encoding": ["gzip", "br", "identity"],
    "Cookie": ["a=b", "=;=", "auth-root=x"],
    "Expect": ["100-continue", "x"],
    "X-Request-Id": ["abc", "a b", "x" * 200],
    "X-Devpi-Absolute-Urls": ["", "1"],
    "X-HTTP-Method-Override": ["DELETE"],
    "Upgrade": ["websocket", "h2c"],
    "User-Agent": ["pip/22.0", "pip/x", "twine/6.1.0", "uv/0.8"],
}
# fmt: on
HOSTS = [
    "localhost",
    "127.0.0.1:1",
    "a.example",
    "[::1]",
    "[",
    "a b",
    "a:b:c",
    "é",
    "",
    "a" * 300,
    "a.example:99999",
    "@",
    "a/b",
]
LENGTHS = ["-1", "x", "", "0x5", "5, 5", "1e3", "99999999999999999999", "٣", "+5", "5\x0b"]
QUERIES = [
    "force=",
    "no_projects=",
    "error_on_noop",
    "ignore_bases=",
    "%ff=%00&=&a",
    "a=1&" * 50,
    "?",
    "force=%00&force=%ff",
]


FIELDS = ["name", "version", ":action", "filetype", "sha256_digest", "md5_digest", "requires_python", "attestations"]
"""Fields of upload forms that get other values."""
BROKEN_BODIES = [b"[" * 50_000, b'{"a":' * 100, b"a=b&c=%ff&%00", b'{"password": 1, "password": 2}', b"\xef\xbb\xbf{}"]
BROKEN_BODIES += [b'{"user": "root", "password": ""', b"1e999999", b'"' + b"\\u0000" * 50 + b'"', b"9" * 6000]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address that the OpenAPI document describes."""

    path: str
    method: str
    schemas: Mapping[str, Any]
    """The schema of the body for each media type."""


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document."""
    return [
        Operation(path, method.upper(), {
            kind: value["schema"] for kind, value in described.get("requestBody", {}).get("content", {}).items()
        })
        for path, methods in sorted(document["paths"].items())
        for method, described in sorted(methods.items())
        if method != "parameters"
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeededRequest:
    """A request, and what its sender does."""

    content: bytes
    source: str
    """The address on the loopback network from which it comes, so that wrong passwords do not slow down the others."""
    whole: bool
    """Whether the server closes the connection after its answer; otherwise it may wait for more."""


class SeededGenerator:
    """Makes the request of one number."""

    def __init__(self, operations: Sequence[Operation], credentials: Mapping[str, str], seed: str) -> None:
        """Begin a request.

        Args:
            operations: what to ask for.
            credentials: the values of ``Authorization`` by sender: no one, users, root, and API tokens.
            seed: decides about everything but the credentials.
        """
        self._operations = operations
        self._credentials = credentials
        self._random = random.Random(seed)

    def make(self) -> SeededRequest:
        """Return the request: about one part in five is as described, the rest is wrong somewhere."""
        pick = self._random.choice
        operation = pick(self._operations)
        method = operation.method if self._chance(0.8) else pick(METHODS)
        body, media = self._body(operation)
        version = "1.1" if self._chance(0.98) else pick(["1.0", "2.0", "1.2", "x"])
        lines = [f"{method} {self._target(operation.path)} HTTP/{version}"]
        host = f"Host: {'localhost' if self._chance(0.9) else pick(HOSTS)}"
        lines += [host] * (1 if self._chance(0.98) else pick([0, 2]))
        closes = self._chance(0.97)
        lines.append(f"Connection: {'close' if closes else pick(['keep-alive', 'x', 'close, upgrade', ''])}")
        credentials = self._credentials[pick(sorted(self._credentials))]
        lines += [f"Authorization: {credentials}"] if credentials else []
        lines += [f"Content-Type: {media}"] if media and self._chance(0.95) else []
        lines += [self._header() for _ in range(pick([0, 0, 1, 2, 4]))]
        content, whole = self._framed([line.encode("utf-8", "surrogatepass") for line in lines], body)
        if self._chance(0.01):
            content, whole = self._damaged(content), False
        return SeededRequest(content, f"127.0.{pick(range(1, 200))}.{pick(range(1, 200))}", whole and closes)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _damaged(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self._random.randint(1, 8)):
            changed[self._random.randrange(min(len(changed), 300))] = self._random.randrange(256)
        return bytes(changed[: self._random.randint(1, len(changed))] if self._chance(0.3) else changed)

    def _target(self, path: str) -> str:
        parts = []
        for part in path.split("/"):
            value = part
            if part.startswith("{"):
                known = PARAMETERS.get(part.strip("{}"), TEXTS)
                value = self._random.choice([*GARBAGE, *TEXTS] if self._chance(0.15) else known)
                value = value if value.startswith("%") else quote(value, safe="+:~*.@")
            parts.append(value)
        target = "/".join(parts) or "/"
        target += "/" if self._chance(0.3) else ""
        target += "//../%2e%2e/" if self._chance(0.02) else ""
        return target + (f"?{self._random.choice(QUERIES)}" if self._chance(0.2) else "")

    def _header(self) -> str:
        name = self._random.choice(sorted(HEADERS))
        values = HEADERS[name] if self._chance(0.7) else HEADER_VALUES
        return f"{name}: {self._random.choice(values)}"

    def _framed(self, lines: list[bytes], body: bytes) -> tuple[bytes, bool]:
        """Return the bytes of the request, and whether they end where its framing says."""
        drawn = self._random.random()
        whole = True
        if drawn < 0.03:
            other = str(max(len(body) + self._random.randint(-50, 50), 0))
            length = self._random.choice(LENGTHS) if self._chance(0.5) else other
            lines.append(f"Content-Length: {length}".encode())
            whole = False
        elif drawn < 0.15:
            lines.append(b"Transfer-Encoding: chunked")
            end = self._random.choice([b"0\r\n\r\n"] * 8 + [b"0\r\nA: b\r\n\r\n", b"zz\r\n", b""])
            body, whole = self._chunks(body) + end, end.startswith(b"0\r\n\r")
        elif body or self._chance(0.5):
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body]), whole

    def _chunks(self, body: bytes) -> bytes:
        size = max(self._random.choice([1, 7, 500, 100_000]), len(body) // 50)
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)

    def _body(self, operation: Operation) -> tuple[bytes, str]:
        makers: list[Callable[[], tuple[bytes, str]]] = [
            lambda: (b"", ""),
            lambda: self._json(operation, 0.0),
            lambda: self._json(operation, 0.3),
            lambda: self._json(operation, 0.3),
            lambda: (json.dumps(self._junk(4)).encode(), "application/json"),
            self._form,
            self._form,
            self._garbage,
        ]
        if not operation.schemas and self._chance(0.7):
            return b"", ""
        if "multipart/form-data" in operation.schemas and self._chance(0.5):
            return self._form()
        return self._random.choice(makers)()

    def _json(self, operation: Operation, wrong: float) -> tuple[bytes, str]:
        schema = operation.schemas.get("application/json", {})
        return json.dumps(self._value(schema, wrong, "")).encode(), "application/json"

    def _value(self, schema: Mapping[str, Any], wrong: float, key: str) -> Any:
        """Return a value of a JSON schema, each part of which is replaced with this probability."""
        pick = self._random.choice
        if self._chance(wrong):
            return self._junk(2)
        if "url" in key:
            return pick(DEAD_URLS)
        if "enum" in schema:
            return pick(schema["enum"])
        if "oneOf" in schema or "anyOf" in schema:
            return self._value(pick(schema.get("oneOf") or schema["anyOf"]), wrong, key)
        kind = schema.get("type", "string")
        kind = pick(kind) if isinstance(kind, list) else kind
        if kind == "object":
            properties = schema.get("properties", {})
            wanted = set(schema.get("required", ())) | {name for name in properties if self._chance(0.3)}
            return {name: self._value(properties.get(name, {}), wrong, name) for name in sorted(wanted)}
        if kind == "array":
            return [self._value(schema.get("items", {}), wrong, key) for _ in range(pick([0, 1, 2, 5]))]
        if kind == "boolean":
            return pick([True, False])
        if kind in {"integer", "number"}:
            return pick([0, 1, 60, -1, 2**31, 2**63, 2**70, 1.5])
        operation = (
            f"{pick(['title', 'bases', 'acl_upload', 'type', 'volatile'])}{pick(['=', '+=', '-=', ''])}{pick(TEXTS)}"
        )
        return pick([*TEXTS, *PARAMETERS["project"], *PARAMETERS["version"], operation])

    def _junk(self, depth: int) -> Any:
        pick = self._random.choice
        if depth == 0 or self._chance(0.5):
            return pick(
                [None, True, False, 0, -1, 2**70, 1.5e300, float("inf"), float("nan"), "\ud800", *TEXTS, *DEAD_URLS]
            )
        if self._chance(0.5):
            return [self._junk(depth - 1) for _ in range(pick([0, 1, 3]))]
        keys = [
            "user",
            "password",
            "title",
            "email",
            "type",
            "bases",
            "mirror_url",
            "name",
            "version",
            "status",
            "yanked",
            "",
            "é",
            "\0",
        ]
        return {pick(keys): self._junk(depth - 1) for _ in range(pick([0, 1, 3]))}

    def _form(self) -> tuple[bytes, str]:
        pick = self._random.choice
        file = pick(FILES)
        changed = {name: pick(TEXTS) for name in FIELDS if self._chance(0.15)}
        fields = file_fields(file, **changed)
        if self._chance(0.2):
            fields = [(name, value) for name, value in fields if self._chance(0.7)]
        if self._chance(0.2):
            fields += [
                (pick(["classifiers", "requires_dist", "project_urls", "description", "é", "", "name"]), pick(TEXTS))
                for _ in range(9)
            ]
        if self._chance(0.2):
            content = pick([b"", b"PK\x03\x04", file.content[:-20], self._random.randbytes(300), FILES[0].content])
            name = pick([file.filename, "abc-3.0.tar.gz", "../abc-1.0.zip", "abc", "é-1.0.zip", "abc-1.0.doc.zip"])
            fields = [(key, value) for key, value in fields if key != "content"]
            fields.append(("content", (name, content, pick(["application/octet-stream", "", "text/html"]))))
        body, headers = encode(fields)
        if self._chance(0.15):
            body = pick(
                [
                    body[:-10],
                    body.replace(b"\r\n", b"\n"),
                    body[50:],
                    body.replace(b"form-data", b"file", 1),
                    b"--" + body,
                ]
            )
        return body, headers["Content-Type"]

    def _garbage(self) -> tuple[bytes, str]:
        pick = self._random.choice
        content = pick([self._random.randbytes(pick([1, 100, 5000])), *BROKEN_BODIES])
        return content, pick(
            [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "text/plain",
                "",
            ]
        )


def basic(user: str, password: str) -> str:
    """Return the value of ``Authorization`` for a password, a login or an API token."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
