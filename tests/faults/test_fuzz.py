"""Thousands of generated requests: no internal error, no traceback, and no secret in an answer or the log."""

from __future__ import annotations

import base64
import json
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from tests.helpers.wire import call, login, send_bytes

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

PASSWORD = "canary-password-of-the-administrator"
TYPED, UPSTREAM = (f"canary-{what}" for what in ("typed", "upstream"))
"""Computed, because hypothesis would find constants and use them anywhere, also where answers may show them."""
ADMIN = {"Authorization": f"Basic {base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()}"}
"""With a password, because a login would end with the first request to ``/+logout``."""


EXISTING = ["/emilie", "/sophie", "/emilie/dev", "/emilie/prod", "/sophie/dev"]


@dataclass(frozen=True, slots=True)
class Target:
    """The server under test, and the secrets that it must not reveal."""

    server: ServerProcess
    token: str
    """A login of the administrator."""

    @property
    def secrets(self) -> list[bytes]:
        """The texts that no answer and no log may contain."""
        secret = (self.server.serverdir / ".secret").read_text().strip()
        texts = [PASSWORD, UPSTREAM, self.token, secret, "$argon2", "Traceback", str(self.server.serverdir)]
        return [text.encode() for text in texts]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Start a server whose administrator is not root, and check its log at the end."""
    folder = tmp_path_factory.mktemp("fuzz") / "server"
    with ServerProcess(folder, *CHEAP_HASHING, "--restrict-modify", "root,admin") as server:
        # The start names the folder that it was given, in the command that sets root's password.
        start_bytes = len(server.log.read_bytes())
        assert call(server, "PUT", "/admin", {"password": PASSWORD}, login(server)).status == 201
        create(server)
        found = Target(server, login(server, "admin", PASSWORD)[1])
        yield found
        assert call(server, "GET", "/").status == 200
        log = server.log.read_bytes()[start_bytes:]
        assert b"fault on" not in log
        assert [secret for secret in [*found.secrets, TYPED.encode()] if secret in log] == []


def create(server: ServerProcess) -> None:
    """Create the users and indices that requests use, unless they exist."""
    for path in EXISTING:
        body = {} if path.count("/") > 1 else {"password": "1234"}
        assert call(server, "PUT", path, body, None, **ADMIN).status in {200, 201, 409}


USERS = st.sampled_from(["emilie", "sophie"])
INDICES = st.sampled_from(["dev", "prod"])
NO_PARAMETERS: st.SearchStrategy[dict[str, str]] = st.just({})


def test_answers_match_the_openapi_description(target: Target, subtests: pytest.Subtests) -> None:
    """Requests that match the description, or almost match it, get answers as ``/+openapi`` describes them."""
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
        unsupported_method,
        allow_header_conformance,
    ]
    schema = schemathesis.openapi.from_url(f"{target.server.url}+openapi")
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(ADMIN)
        for operation in map(operator.methodcaller("ok"), schema.get_all_operations()):

            @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
            @given(
                case=operation.as_strategy(),
                there=st.fixed_dictionaries({"user": USERS, "index": INDICES}) | NO_PARAMETERS,
            )
            def conforms(case: schemathesis.Case[Any], there: dict[str, str]) -> None:
                case.path_parameters.update({key: there[key] for key in case.path_parameters if key in there})
                case.call_and_validate(session=session, checks=checks)

            create(target.server)
            with subtests.test(operation.label):
                conforms()


names = st.one_of(
    st.sampled_from(
        ["root", "pypi", "emilie", "sophie", "dev", "prod", "a.b", "..", ".", "+api", ":all", "~", "*", ""]
    ),
    st.text(max_size=12),
)
things = st.sampled_from([*EXISTING, *EXISTING, "/root/pypi", "/+login"]) | st.integers(0, 99).map("/user{}".format)
paths = st.one_of(
    things,
    st.sampled_from(["/", "/+api", "/+logout", "/+status", "/+authcheck", "/+openapi", "/+x/stage/y"]),
    st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts)),
)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | names,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
upstreams = st.just({"type": "mirror", "mirror_url": f"http://upstream:{UPSTREAM}@packages.example/simple/"})
keys = st.sampled_from(
    ["user", "email", "title", "description", "custom_data", "username", "indexes", "created", "pwhash", "type",
     "bases", "volatile", "acl_upload", "mirror_url", "mirror_whitelist", "mirror_cache_expiry", "projects", "result"]
)  # fmt: skip
values = junk | st.sampled_from(
    ["stage", "mirror", "root/pypi", "root", "true", [":ANONYMOUS:"], ["a/b"], -(2**70), 1e400]
)
documents = st.one_of(
    junk,
    upstreams,
    st.dictionaries(keys, values, max_size=5),
    st.builds(lambda body, password: {**body, "password": password}, st.dictionaries(keys, values, max_size=3),
              st.sampled_from([TYPED, [TYPED], {"a": TYPED}, 5, None, ""])),
    st.lists(st.builds("{}{}{}".format, keys, st.sampled_from(["=", "+=", "-=", ""]), st.text(max_size=8)), max_size=4),
)  # fmt: skip
simple = st.sampled_from(["{}", '{"password": "1234"}', '{"title": "T"}', '["title=T"]', '{"type": "mirror"}']).map(
    str.encode
)
bodies = st.one_of(
    st.just(b""),
    simple,
    st.binary(max_size=60),
    documents.map(lambda document: json.dumps(document).encode()),
    documents.map(lambda document: json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.integers(10, 100_000).map(lambda depth: b"[" * depth),
    st.just(b'{"password": 1, "password": 2}'),
)
header_values = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
    st.sampled_from(
        [base64.b64encode(f"{name}:{TYPED}".encode()).decode() for name in ("root", "admin", "a\0", "ü", "")]
        + [
            f"Basic {base64.b64encode(f'root:{TYPED}'.encode()).decode()}",
            f"Bearer {TYPED}",
            f"wgs_{TYPED}",
            f"Basic {TYPED}",
        ]
    ),
)
header_names = st.sampled_from(
    ["Authorization", "X-Devpi-Auth", "Accept", "Content-Type", "Content-Encoding", "Cookie", "Expect", "Origin",
     "Sec-Fetch-Site", "X-Outside-Url", "X-Forwarded-For", "X-Forwarded-Host", "X-Original-Uri", "Range", "If-Match",
     "If-None-Match", "Accept-Encoding", "Forwarded", "Upgrade", "TE", "X-HTTP-Method-Override"]
)  # fmt: skip
methods = st.sampled_from(["GET", "PUT", "PATCH", "POST", "DELETE"] * 3 + ["HEAD", "OPTIONS", "TRACE", "PUSH", "FOO"])


@st.composite
def requests_on_the_wire(draw: st.DrawFn, *, wild: bool) -> bytes:
    """Generate a request that a parser accepts; if it is not wild, only its body is unusual."""
    path = quote(draw(paths if wild else things), safe=draw(st.sampled_from(["/+", "/+:~*!$&'()@,;="])))
    method = draw(methods if wild else st.sampled_from(["PUT", "PATCH"]))
    body = draw(bodies if wild else simple | documents.map(lambda document: json.dumps(document).encode()))
    return draw(assembled(method, path, body, draw(st.lists(header_names, max_size=3, unique=True)) if wild else []))


@st.composite
def assembled(draw: st.DrawFn, method: str, path: str, body: bytes, names: list[str]) -> bytes:
    """Generate the bytes of a request, with or without the administrator's login, in one of the two framings."""
    query = draw(st.sampled_from(["", "?no_projects=", "?error_on_noop", "?%ff=%00&=&a", "?" + "a=1&" * 200]))
    lines = [f"{method} {path}{query} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close"]
    if draw(st.integers(0, 3)):
        lines.extend(f"{name}: {value}".encode() for name, value in ADMIN.items())
    lines.extend(f"{name}: {draw(header_values).strip()}".encode("latin-1") for name in names)
    if draw(st.integers(0, 4)):
        lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body])
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", chunk + b"0\r\n\r\n"])


@pytest.mark.parametrize("wild", [True, False], ids=["wild", "nearly right"])
@settings(max_examples=1200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_causes_an_internal_error(target: Target, wild: bool, data: st.DataObject) -> None:
    """Any method, path, header and body gets a proper status, and no answer contains a secret."""
    request = data.draw(requests_on_the_wire(wild=wild))
    exchange = send_bytes(target.server, request)
    assert exchange.closed
    assert exchange.statuses[-1] in {200, 201, 302, 400, 401, 403, 404, 405, 409, 413, 414, 429, 431}
    assert [secret for secret in target.secrets if secret in exchange.received] == []
    about_an_index = request.split(b" ")[1].count(b"/") > 1  # where "password" is a key like any unknown one
    assert about_an_index or TYPED.encode() not in exchange.received
