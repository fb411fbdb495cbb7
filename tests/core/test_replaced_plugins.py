"""Each bundled plugin can be left out by its name and replaced by a third-party one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.sites import Serve
from tests.helpers.stub_plugins import Memory, Mirrored, Odd, OneGroup, Titled, Whispered

from wheelgate.testing.site import Site

ROOT = ("root", "")
REPLACEMENTS: dict[str, Callable[[], object]] = {
    "auth_basic": Mirrored,
    "groups": OneGroup,
    "restrict_modify": Odd,
    "stage": lambda: Titled("stage"),
    "mirror": lambda: Titled("mirror"),
    "sql_store": Memory,
    "tokens": Whispered,
}


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_a_day_with_a_replacement(serve: Serve, name: str) -> None:
    """Users, indices, passwords and sessions work with any bundled plugin replaced."""
    replaced = serve(extra={"replacement": REPLACEMENTS[name]()}, no_plugin=[name])

    def step(method: str, path: str, body: object, auth: tuple[str, str] | None = None) -> int:
        return replaced.request(method, path, body, auth=auth).status

    password = ("emilie", "correct horse")
    assert step("PUT", "/emilie", {"password": "correct horse", "email": "e@mail.example"}) == 201
    assert step("PUT", "/Emilie", {"password": "x"}) == 409
    assert step("POST", "/+login", {"user": "emilie", "password": "wrong"}) == 401
    session = replaced.login(*password)
    assert step("PUT", "/emilie/base", {}, session) == 200
    assert step("PUT", "/emilie/devs", {"title": "Development", "bases": ["emilie/base"]}, password) == 200
    assert step("PATCH", "/emilie/devs", ["title=New"], session) == 200
    assert step("PUT", "/root/evil", {}, session) == 403
    assert replaced.request("GET", "/emilie/devs").result["title"] == "New"
    assert set(replaced.request("GET", "/").result["emilie"]["indexes"]) == {"base", "devs"}
    assert step("DELETE", "/emilie/base", None, session) == 201
    assert replaced.request("GET", "/emilie/devs").result["bases"] == []
    assert step("PATCH", "/emilie", {"password": "new password"}, session) == 200
    assert step("PATCH", "/emilie", {"title": "x"}, session) == 401
    assert step("POST", "/+logout", None, replaced.login("emilie", "new password")) == 200
    assert step("DELETE", "/emilie", None, ROOT) == 200
    assert replaced.request("GET", "/emilie").status == 404


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "status", "text"),
    [
        ("auth_basic", "DELETE", "/root", None, 401, "Mirrored realm"),
        ("groups", "GET", "/+api", None, 200, "everybody"),
        ("restrict_modify", "PUT", "/odd", {"password": "x"}, 403, "it is odd"),
        ("stage", "PUT", "/root/test", {"acl_upload": ""}, 400, "unexpected keyword arguments: acl_upload="),
        ("mirror", "PUT", "/root/test", {"type": "mirror"}, 200, "root's"),
        ("sql_store", "GET", "/root", None, 200, "2026-01-01T12:00:00Z"),
        ("tokens", "GET", "/+status", None, 200, '"whispered": "ok"'),
    ],
)
def test_the_replacement_is_asked(
    serve: Serve, name: str, method: str, path: str, body: object, status: int, text: str
) -> None:
    """An answer that only the third-party plugin gives proves that the bundled one is gone."""
    site = serve(extra={"replacement": REPLACEMENTS[name]()}, no_plugin=[name])

    answer = site.request(method, path, body, auth=None if status == 401 else ROOT)

    assert answer.status == status
    assert text in answer.content.decode() + answer.headers.get("www-authenticate", "")


def test_a_new_server_has_what_its_plugins_bring(tmp_path: Path) -> None:
    """Without the plugin that provides it, a new server has no first index."""
    with Site(tmp_path / "server", no_plugin=["mirror"]) as site:
        assert site.request("GET", "/").result["root"]["indexes"] == {}


@pytest.mark.parametrize("name", ["groups", "restrict_modify", "stage", "mirror", "auth_basic", "tokens"])
def test_without_a_plugin_the_rest_goes_on(serve: Serve, name: str) -> None:
    """If a plugin is left out and not replaced, everything else keeps working."""
    site = serve(no_plugin=[name])

    assert site.request("GET", "/root").result["username"] == "root"
    login = site.request("POST", "/+login", {"user": "root", "password": ""}).status
    assert login == (401 if name == "auth_basic" else 200)


def test_an_index_outlives_its_type(serve: Serve) -> None:
    """Without the plugin of its type, an index can be shown and deleted, but not changed."""
    serve().request("PUT", "/root/dev", {"title": "x"}, auth=ROOT)
    site = serve(no_plugin=["stage"])

    shown = site.request("GET", "/root/dev")
    refused = site.request("PATCH", "/root/dev", ["title=y"], auth=ROOT)

    assert (shown.status, shown.result["title"]) == (200, "x")
    assert "pypisubmit" not in site.request("GET", "/root/dev/+api").result
    sentence = "the plugin that provides indices of type 'stage' is not installed"
    assert (refused.status, refused.message) == (409, sentence)
    assert site.request("DELETE", "/root/dev", auth=ROOT).status == 201


def test_without_a_hasher_nobody_gets_a_password(serve: Serve) -> None:
    """Without a hasher a new password is refused with a reason."""
    site = serve(no_plugin=["auth_basic"])

    refused = site.request("PUT", "/alice", {"password": "correct horse"})

    assert (refused.status, refused.message) == (409, "no plugin of this server keeps passwords")
    assert site.request("GET", "/alice").status == 404


@pytest.mark.parametrize(
    ("missing", "method", "path", "body", "action"),
    [
        ("create", "PUT", "/new", {"password": "x"}, "create users"),
        ("modify", "PATCH", "/root", {"title": "x"}, "modify users"),
        ("passwords", "PATCH", "/root", {"password": "x"}, "change passwords"),
        ("delete", "DELETE", "/root", None, "delete users"),
    ],
    ids=["create", "modify", "passwords", "delete"],
)
def test_what_a_store_cannot_do_is_said(
    serve: Serve, missing: str, method: str, path: str, body: object, action: str
) -> None:
    """A change that a store cannot make is refused with 409, and the message names the store."""
    replacement = Memory()
    replacement.wheelgate_user_store().capabilities -= {missing}
    site = serve(extra={"replacement": replacement}, no_plugin=["sql_store"])

    refused = site.request(method, path, body, auth=ROOT)

    assert (refused.status, refused.message) == (409, f"users come from 'memory', which cannot {action}; do it there")
    assert site.request("GET", "/root").status == 200
