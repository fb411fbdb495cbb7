"""JSON bodies: malformed ones, and those that two readers could understand differently, are refused with a sentence."""

from __future__ import annotations

import asyncio
import json

import falcon.testing
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wheelgate.testing.site import Site

ROOT = ("root", "")

ROUTES = {
    "create user": ("PUT", "/new"),
    "modify user": ("PATCH", "/root"),
    "log in": ("POST", "/+login"),
    "create index": ("PUT", "/root/new"),
    "modify index": ("PATCH", "/root/pypi"),
}


def nested(depth: int, around: bytes = b'{"custom_data": %s}') -> bytes:
    """Return a body whose deepest value is ``depth`` levels below the body."""
    return around % (b"[" * (depth - 1) + b"1" + b"]" * (depth - 1))


BROKEN = [
    pytest.param(b"", "Bad request: could not decode json", id="empty"),
    pytest.param(b"no json", "Bad request: could not decode json", id="no JSON"),
    pytest.param(b'{"a": 1', "Bad request: could not decode json", id="cut off"),
    pytest.param(b'{"a": 1} x', "Bad request: could not decode json", id="something behind it"),
    pytest.param(b'\xef\xbb\xbf{"a": 1}', "Bad request: could not decode json", id="byte order mark"),
    pytest.param(b'{"a": "\xff"}', "Bad request: could not decode json: the body is not UTF-8", id="bad UTF-8"),
    pytest.param(b'{"a": "\xed\xa0\x80"}', "Bad request: could not decode json: the body is not UTF-8", id="CESU-8"),
    pytest.param(b'{"a": NaN}', "NaN is not a JSON number", id="NaN"),
    pytest.param(b'{"a": -Infinity}', "-Infinity is not a JSON number", id="infinity"),
    pytest.param(b'{"a": 1e999}', "'a' contains a number outside the range of 64 bits", id="1e999"),
    pytest.param(b'{"a": 9223372036854775808}', "'a' contains a number outside the range of 64 bits", id="2**63"),
    pytest.param(b'{"a": 1%s}' % (b"0" * 5000), "Bad request: could not decode json", id="5000 digits"),
    pytest.param(b'{"a": 1, "a": 2}', "the key 'a' occurs twice in one object", id="duplicate key"),
    pytest.param(b'{"a": {"b": 1, "b": 1}}', "the key 'b' occurs twice in one object", id="duplicate key inside"),
    pytest.param(b'{"\\u0061": 1, "a": 2}', "the key 'a' occurs twice in one object", id="duplicate key, escaped"),
    pytest.param(
        b'{"a": "\\u0000"}',
        "'a' contains a character that is not valid in text (NUL or half of a surrogate pair)",
        id="NUL",
    ),
    pytest.param(
        b'{"a": ["\\ud800"]}',
        "an entry of 'a' contains a character that is not valid in text (NUL or half of a surrogate pair)",
        id="lone surrogate",
    ),
    pytest.param(
        b'{"a\\udfff": 1}',
        "a key of the body contains a character that is not valid in text (NUL or half of a surrogate pair)",
        id="lone surrogate in a key",
    ),
    pytest.param(nested(33), "the body is nested deeper than 32 levels", id="33 levels"),
    pytest.param(b"[" * 400_000 + b"]" * 400_000, "the body is nested deeper than 32 levels", id="400000 levels"),
]


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize(("body", "sentence"), BROKEN)
def test_a_malformed_or_ambiguous_body_is_refused(
    shared: Site, route: tuple[str, str], body: bytes, sentence: str
) -> None:
    """Every route that takes JSON refuses the same documents with 400, and says what is wrong."""
    refused = shared.request(*route, body, auth=ROOT)

    assert (refused.status, refused.message) == (400, sentence)


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("body", ["text", 5, True, None, [5]], ids=["text", "number", "true", "null", "list"])
def test_only_objects_are_accepted(shared: Site, route: tuple[str, str], body: object) -> None:
    """JSON that is not an object is refused, and so is a list of anything but operations."""
    refused = shared.request(*route, json.dumps(body).encode(), auth=ROOT)

    assert refused.status == 400
    assert "must be" in refused.message


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_body_that_is_too_long_is_refused(shared: Site, route: tuple[str, str]) -> None:
    """A body of more than a million bytes answers 413."""
    refused = shared.request(*route, b'{"a": "%s"}' % (b"x" * 1_000_000), auth=ROOT)

    assert (refused.status, refused.message) == (413, "the body has 1000009 bytes; this address takes at most 1000000")


def test_a_body_that_never_ends_is_refused(shared: Site) -> None:
    """A body without a Content-Length gets 413 as soon as it is too long; the rest is not read."""
    asked: list[int] = []
    answered: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        asked.append(100_000)
        return {"type": "http.request", "body": b" " * 100_000, "more_body": True}

    async def send(event: dict[str, object]) -> None:
        answered.append(event)

    async def ask() -> None:
        await shared.application.asgi(falcon.testing.create_scope("/+login", method="POST"), receive, send)

    asyncio.run(ask())

    assert answered[0]["status"] == 413
    assert b"more than 1000000 bytes" in answered[1]["body"]  # type: ignore[operator]
    assert sum(asked) < 1_200_000


def test_depth_and_numbers_are_accepted_up_to_the_limits(shared: Site, fresh: str) -> None:
    """32 levels and 64 bits are accepted, and come back as they were sent."""
    for text in (nested(32), b'{"custom_data": [9223372036854775807, -9223372036854775808, 1.5, "\\ud83d\\ude00"]}'):
        body = json.loads(text)
        name = f"{fresh}-{len(text)}"

        assert shared.request("PUT", f"/{name}", {"password": "correct horse", **body}).status == 201
        assert shared.request("GET", f"/{name}").result["custom_data"] == body["custom_data"]


def test_characters_next_to_the_surrogates_are_accepted(shared: Site, fresh: str) -> None:
    """Only NUL and halves of surrogate pairs are refused: not the characters beside them in Unicode."""
    title = "\x01\ud7ff\ue000\U00010000"

    assert shared.request("PUT", f"/{fresh}", {"password": "correct horse", "title": title}).status == 201
    assert shared.request("GET", f"/{fresh}").result["title"] == title


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_does_not_matter(shared: Site, fresh: str, content_type: str) -> None:
    """A JSON body is read with any Content-Type: old clients send none, or a wrong one."""
    created = shared.request("PUT", f"/{fresh}", {"password": "correct horse"}, headers={"Content-Type": content_type})

    assert created.status == 201


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(":ANONYMOUS:,root"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "password",
        "email",
        "title",
        "description",
        "custom_data",
        "created",
        "user",
        "type",
        "bases",
        "volatile",
        "acl_upload",
        "mirror_url",
        "mirror_cache_expiry",
        "mirror_whitelist",
        "mirror_whitelist_inheritance",
        "projects",
        "result",
        "pwhash",
    ]
)
BODIES = JSON | st.dictionaries(KEYS, JSON, max_size=4) | st.lists(st.builds("{}{}{}".format, KEYS, JSON, JSON))


@pytest.mark.slow
@given(body=BODIES, route=st.sampled_from(list(ROUTES.values())))
@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_server_fail(shared: Site, body: object, route: tuple[str, str]) -> None:
    """Any JSON is accepted, or refused with a sentence."""
    answer = shared.request(*route, body, auth=ROOT)

    assert answer.status in (200, 201, 400, 401, 403, 409, 413, 429)
    assert answer.message if answer.status >= 400 else answer.json
