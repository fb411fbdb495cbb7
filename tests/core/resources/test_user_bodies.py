"""``/{user}``: which bodies are accepted, field by field."""

from __future__ import annotations

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")

UNKNOWN_KEYS = [
    pytest.param({"foo": 1}, "foo", id="unknown"),
    pytest.param({"zab": 1, "foo": 2}, "foo, zab", id="two unknown"),
    pytest.param({"pwhash": "$argon2id$v=19$"}, "pwhash", id="pwhash"),
    pytest.param({"pwsalt": "x"}, "pwsalt", id="pwsalt"),
    pytest.param({"stamp": "x"}, "stamp", id="stamp"),
    pytest.param({"provider": "x"}, "provider", id="provider"),
    pytest.param({"name": "mallory"}, "name", id="name"),
]
WRONG_TYPES = [
    pytest.param({"email": 5}, "'email' must be text, not 5", id="email a number"),
    pytest.param({"title": ["x"]}, "'title' must be text, not ['x']", id="title a list"),
    pytest.param({"description": {}}, "'description' must be text, not {}", id="description an object"),
    pytest.param({"description": False}, "'description' must be text, not False", id="description false"),
    pytest.param({"email": ["x" * 1000]}, "'email' must be text, not ['" + "x" * 75 + "...", id="long values are cut"),
]
WRONG_PASSWORDS = [
    pytest.param(5, "'password' must be text", id="number"),
    pytest.param(["x"], "'password' must be text", id="list"),
    pytest.param({}, "'password' must be text", id="object"),
    pytest.param("x" * 4097, "'password' must have at most 4096 bytes", id="4097 bytes"),
    pytest.param("ü" * 2049, "'password' must have at most 4096 bytes", id="4098 bytes in 2049 characters"),
    pytest.param(
        "",
        "'password' must not be empty; choose one",
        id="empty",
    ),
]


@pytest.mark.parametrize(("body", "keys"), UNKNOWN_KEYS)
def test_unknown_keys_are_named(shared: Site, fresh: str, body: dict[str, object], keys: str) -> None:
    """Creation and modification refuse unknown keys; nobody can set a hash from outside."""
    created = shared.request("PUT", f"/{fresh}", {"password": "correct horse", **body})
    modified = shared.request("PATCH", "/root", body, auth=ROOT)

    for refused in (created, modified):
        assert (refused.status, refused.message) == (400, f"Unknown keys in user config: {keys}")
    assert shared.request("GET", f"/{fresh}").status == 404


@pytest.mark.parametrize(("body", "sentence"), WRONG_TYPES)
def test_wrong_types_are_named(shared: Site, fresh: str, body: dict[str, object], sentence: str) -> None:
    """Creation and modification refuse a field of the wrong type; the message has field and value."""
    created = shared.request("PUT", f"/{fresh}", {"password": "correct horse", **body})
    modified = shared.request("PATCH", "/root", body, auth=ROOT)

    for refused in (created, modified):
        assert (refused.status, refused.message) == (400, sentence)


@pytest.mark.parametrize(("password", "sentence"), WRONG_PASSWORDS)
def test_wrong_passwords_are_refused(site: Site, password: object, sentence: str) -> None:
    """A password is 1 to 4096 bytes of text; a refused one changes nothing, and the answer does not contain it."""
    alice = site.add_user("alice", "correct horse")

    created = site.request("PUT", "/new", {"password": password})
    modified = site.request("PATCH", "/alice", {"password": password, "email": "x@mail.example"}, auth=alice)

    for refused in (created, modified):
        assert (refused.status, refused.message) == (400, sentence)
    assert "email" not in site.request("GET", "/alice").result
    assert site.login("alice", "correct horse")


@pytest.mark.parametrize("body", [{}, {"email": "x@mail.example"}, {"password": None}], ids=["empty", "other", "null"])
def test_creation_needs_a_password(shared: Site, fresh: str, body: dict[str, object]) -> None:
    """A user cannot be created without a password."""
    refused = shared.request("PUT", f"/{fresh}", body)

    assert (refused.status, refused.message) == (400, "password needs to be set")


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        pytest.param("x" * 4096, "x" * 4096, id="4096 bytes"),
        pytest.param("ü" * 2048, "ü" * 2048, id="4096 bytes in 2048 characters"),
        pytest.param("\u00e9t\u00e9", "e\u0301te\u0301", id="composed, then decomposed"),
        pytest.param("e\u0301te\u0301", "\u00e9t\u00e9", id="decomposed, then composed"),
        pytest.param("a:b: ", "a:b: ", id="colons and a space"),
        pytest.param("😀\t\n", "😀\t\n", id="emoji and control characters"),
    ],
)
def test_passwords_are_compared_in_their_normal_form(shared: Site, fresh: str, stored: str, given: str) -> None:
    """Any text of up to 4096 bytes is a valid password; two spellings that look the same are equal."""
    assert shared.request("PUT", f"/{fresh}", {"password": stored}).status == 201

    assert shared.request("POST", "/+login", {"user": fresh, "password": given}).status == 200
    assert shared.request("GET", "/+api", auth=(fresh, given)).result["authstatus"][0] == "ok"


def test_a_null_password_changes_none(site: Site) -> None:
    """Old clients send ``"password": null`` for no change: password and login stay valid."""
    alice = site.add_user("alice", "correct horse")

    changed = site.request("PATCH", "/alice", {"password": None, "email": "x@mail.example"}, auth=alice)

    assert (changed.status, changed.json) == (200, {"message": "user updated"})
    assert site.request("GET", "/+api", auth=alice).result["authstatus"][0] == "ok"


@pytest.mark.parametrize("before", ["", "correct horse"], ids=["open", "with a password"])
@pytest.mark.parametrize("keep", [{}, {"title": "boss"}], ids=["alone", "with a title"])
def test_nobody_can_set_an_empty_password(site: Site, before: str, keep: dict[str, str]) -> None:
    """Root of a new server has the empty password; no request sets it, and a refused request changes nothing else."""
    if before:
        assert site.request("PATCH", "/root", {"password": before}, auth=ROOT).status == 200

    refused = site.request("PATCH", "/root", {"password": "", **keep}, auth=("root", before))

    assert (refused.status, refused.message) == (400, "'password' must not be empty; choose one")
    assert site.login("root", before)
    assert "title" not in site.request("GET", "/root").result


def test_values_that_json_tells_apart_are_changes(site: Site) -> None:
    """``1`` and ``true`` are equal in Python, but are two JSON values."""
    site.request("PATCH", "/root", {"custom_data": 1}, auth=ROOT)

    site.request("PATCH", "/root", {"custom_data": True}, auth=ROOT)

    assert site.request("GET", "/root").result["custom_data"] is True
