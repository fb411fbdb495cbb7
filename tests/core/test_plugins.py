"""An error in a plugin stops the start, with a message that names the plugin."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Option, Outcome, Permission, RequestInfo, Unknown, User, hookimpl
from wheelgate.errors import StartupError
from wheelgate.fields import IndexType
from wheelgate.plugin_host.discovery import discover
from wheelgate.providers import Authenticator, CredentialExtractor


def plugin(**hooks: Callable[..., Any]) -> SimpleNamespace:
    """Return a plugin that implements hooks, given by their names without the prefix."""
    return SimpleNamespace(**{f"wheelgate_{name}": hookimpl(function) for name, function in hooks.items()})


def fail() -> Any:
    """Fail as a plugin does whose settings are wrong."""
    raise ValueError("no address of a directory")


def refuse() -> Any:
    """Refuse as a plugin does that has a message of its own."""
    raise StartupError("[plugins.ldap] url: name the directory")


class Directory(Authenticator):
    """An authenticator; its attributes can be replaced."""

    name = "directory"
    accepts = frozenset({"password"})

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Know nobody."""
        return Unknown()


class Unfinished(Authenticator):
    """An authenticator without its method."""

    name = "directory"
    accepts = frozenset({"password"})


def directory(**attributes: object) -> dict[str, object]:
    """Return a plugin with one authenticator, with some attributes replaced."""
    return {"company": plugin(authenticators=lambda: [Directory(**attributes)])}


def duck(**attributes: object) -> dict[str, object]:
    """Return a plugin with one authenticator that is not derived from the protocol."""
    return {"company": plugin(authenticators=lambda: [SimpleNamespace(**attributes)])}


BROKEN = [
    pytest.param(
        {"company": plugin(autenticators=lambda: None)},
        "plugin 'company': unknown hook 'wheelgate_autenticators'; did you mean 'wheelgate_authenticators'?",
        id="misspelt hook",
    ),
    pytest.param(
        {"company": SimpleNamespace(check_permission=hookimpl(lambda principal: None))},
        "plugin 'company': unknown hook 'check_permission'; did you mean 'wheelgate_check_permission'?",
        id="hook without prefix",
    ),
    pytest.param(
        {"company": plugin(authenticators=lambda sever: [])},
        "plugin 'company': Argument(s) {'sever'} are declared in the hookimpl but can not be found in the hookspec",
        id="misspelt argument",
    ),
    pytest.param(
        {"company": plugin(options=lambda: [Option("url", "x")]), "sso": plugin(options=lambda: [Option("url", "y")])},
        "wheelgate_options: 'url' comes from plugin 'company' and from plugin 'sso'",
        id="two options of one name",
    ),
    pytest.param(
        {"company": plugin(options=lambda: [Option("url", "x", section="a-b"), Option("b-url", "y", section="a")])},
        "wheelgate_options: 'a-b-url' comes from plugin 'company' and from plugin 'company'",
        id="two options of one flag",
    ),
    pytest.param(
        {"company": plugin(options=lambda: [Option("port", "x")])},
        "plugin 'company': the option 'port' belongs to the server itself",
        id="an option of the server",
    ),
    pytest.param(
        {"company": plugin(index_types=lambda: [IndexType("stage", (), takes_uploads=False)])},
        "wheelgate_index_types: 'stage' comes from plugin 'company' and from plugin 'stage'",
        id="two index types of one name",
    ),
    pytest.param(
        {
            "company": plugin(permissions=lambda: [Permission("x", "", "server", "root")]),
            "sso": plugin(permissions=lambda: [Permission("x", "", "server", "root")]),
        },
        "wheelgate_permissions: 'x' comes from plugin 'company' and from plugin 'sso'",
        id="two permissions of one name",
    ),
    pytest.param(
        {"company": plugin(permissions=lambda: [Permission("user_read", "", "user", "everyone")])},
        "plugin 'company': the permission 'user_read' belongs to the server itself",
        id="a permission of the server",
    ),
    pytest.param(
        directory(name="password"),
        "wheelgate_authenticators: 'password' comes from plugin 'auth_basic' and from plugin 'company'",
        id="two authenticators of one name",
    ),
    pytest.param(
        directory(accepts={"password"}),
        "plugin 'company': Directory.accepts must be of type frozenset, not set",
        id="an attribute of another type",
    ),
    pytest.param(
        directory(rank="first"), "plugin 'company': Directory.rank must be of type int, not str", id="a rank in words"
    ),
    pytest.param(
        directory(instnat=True),
        "plugin 'company': Directory.instnat has no meaning; did you mean 'instant'?",
        id="a misspelt promise",
    ),
    pytest.param(
        duck(name="x"),
        "plugin 'company': SimpleNamespace lacks 'rank'; set it to a value of type int, or derive the class from "
        "Authenticator",
        id="an optional attribute is missing",
    ),
    pytest.param(
        duck(name="x", rank=1, instant=False, local=False),
        "plugin 'company': SimpleNamespace lacks 'accepts'; set it to a value of type frozenset",
        id="an attribute is missing",
    ),
    pytest.param(
        duck(name="x", rank=1, instant=False, local=False, accepts=frozenset()),
        "plugin 'company': SimpleNamespace lacks the method 'authenticate' of every authenticator",
        id="a method of something else is missing",
    ),
    pytest.param(
        {"company": plugin(authenticators=fail)},
        "plugin 'company' failed in wheelgate_authenticators: ValueError: no address of a directory, at "
        "tests/core/test_plugins.py:LINE",
        id="raises",
    ),
    pytest.param(
        {"company": plugin(options=fail)},
        "plugin 'company' failed in wheelgate_options: ValueError: no address of a directory, at "
        "tests/core/test_plugins.py:LINE",
        id="raises in its options",
    ),
    pytest.param(
        {"company": plugin(authenticators=refuse)}, "[plugins.ldap] url: name the directory", id="says it by itself"
    ),
    pytest.param(
        {"company": plugin(user_store=lambda: SimpleNamespace(name="x", instant=True))},
        "plugins 'company' and 'sql_store' both provide a store of users; leave one out with --no-plugin NAME",
        id="two stores",
    ),
    pytest.param(
        {"company": plugin(password_hasher=lambda: SimpleNamespace(name="x"))},
        "plugins 'auth_basic' and 'company' both provide a password hasher; leave one out with --no-plugin NAME",
        id="two hashers",
    ),
]


@pytest.mark.parametrize(("extra", "sentence"), BROKEN)
def test_what_is_wrong_with_a_plugin_stops_the_start(serve: Serve, extra: dict[str, object], sentence: str) -> None:
    """The server does not start; the message names the plugin, the error and, for a misspelling, the likely name."""
    with pytest.raises(StartupError) as refused:
        serve(extra=extra)

    assert re.sub(r"(?<=\.py:)[0-9]+", "LINE", str(refused.value)) == sentence


def test_a_method_that_is_missing_stops_the_start(serve: Serve) -> None:
    """A class that is derived from its protocol cannot leave out a method; Python names the method."""
    with pytest.raises(StartupError) as refused:
        serve(extra={"company": plugin(authenticators=lambda: [Unfinished()])})  # type: ignore[abstract]

    assert str(refused.value).startswith("plugin 'company' failed in wheelgate_authenticators: TypeError: Can't inst")
    assert "authenticate" in str(refused.value)


def test_a_hook_that_answers_nothing_brings_nothing(serve: Serve) -> None:
    """A plugin that provides nothing under these settings may answer None."""
    quiet = plugin(options=lambda: None, authenticators=lambda server: None, user_store=lambda: None)

    assert serve(extra={"quiet": quiet}).login("root", "")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Return a function that installs a distribution with one plugin."""

    def install(distribution: str, name: str, source: str) -> None:
        folder = tmp_path / distribution
        info = folder / f"{distribution}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[wheelgate]\n{name} = {distribution}\n")
        (folder / f"{distribution}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)

    return install


def test_two_plugins_of_one_name_stop_the_start(package: Callable[[str, str, str], None]) -> None:
    """Two plugins of the same name stop the start; the message names both distributions."""
    package("wheelgate_other_stage", "stage", "")

    with pytest.raises(StartupError) as refused:
        discover(())

    assert str(refused.value) == "'wheelgate' and 'wheelgate_other_stage' both provide a plugin 'stage'; uninstall one"


def test_a_plugin_that_cannot_be_imported_stops_the_start(package: Callable[[str, str, str], None]) -> None:
    """The message has the plugin, its distribution and the cause; ``--no-plugin`` lets the server start without it."""
    package("wheelgate_broken", "broken", "import no_such_module")

    with pytest.raises(StartupError) as refused:
        discover(())

    assert str(refused.value) == (
        "plugin 'broken' of 'wheelgate_broken' cannot be loaded: ModuleNotFoundError: No module named "
        "'no_such_module', at wheelgate_broken/wheelgate_broken.py:1; repair it, uninstall it, or "
        "start with --no-plugin broken"
    )
    assert [entry.blocked for entry in discover(["broken"]).found if entry.name == "broken"] == [True]


SETTINGS = [
    pytest.param(
        {"no_plugin": ["restrict_modfy"]},
        "--no-plugin: unknown plugin 'restrict_modfy'; did you mean 'restrict_modify'?",
        id="unknown plugin left out",
    ),
    pytest.param({"no_plugin": ["zzz"]}, "--no-plugin: unknown plugin 'zzz'", id="a name that is like no other"),
    pytest.param(
        {"no_plugin": ["sql_store"]},
        "no plugin provides a store of users; 'devpi-server plugins' shows which plugins are left out",
        id="no store",
    ),
    pytest.param(
        {"auth_order": ["pasword"]}, "--auth-order: there is no 'pasword'; did you mean 'password'?", id="auth order"
    ),
    pytest.param(
        {"auth_order": ["password"], "no_plugin": ["auth_basic"]}, "--auth-order: there is no 'password'", id="nobody"
    ),
    pytest.param(
        {"extractor_order": ["basik"]},
        "--extractor-order: there is no 'basik'; did you mean 'basic'?",
        id="extractor order",
    ),
]


@pytest.mark.parametrize(("options", "sentence"), SETTINGS)
def test_a_name_in_the_settings_that_is_not_there_stops_the_start(
    serve: Serve, options: dict[str, Any], sentence: str
) -> None:
    """The names in an order and in ``--no-plugin`` must be installed."""
    with pytest.raises(StartupError) as refused:
        serve(**options)

    assert str(refused.value) == sentence


def test_the_order_of_extractors_comes_from_the_settings(serve: Serve) -> None:
    """``--extractor-order`` decides which header counts if a request has both."""
    headers = {"X-Devpi-Auth": "JSUl", "Authorization": "Basic cm9vdDo="}

    first = serve().request("GET", "/+api", headers=headers).result["authstatus"]
    other = serve(extractor_order=["basic"]).request("GET", "/+api", headers=headers).result["authstatus"]

    assert (first[1], other[1]) == ("", "root")


def test_a_third_party_extractor(serve: Serve) -> None:
    """A plugin can read credentials from another header; malformed ones get 401, and never open its circuit."""

    class Cookie(CredentialExtractor):
        name, header, scheme, ambient, rank = "cookie", "cookie", "Cookie", True, 5

        def extract(self, request: Any) -> Credentials | None:
            value = request.headers["cookie"]
            if value == "none":
                return None
            name, _, secret = value.partition("=")
            return Credentials("password", name, secret.encode("ascii").decode(), self.name)

    site = serve(extra={"cookie": plugin(credential_extractors=lambda: [Cookie()])})
    root = {"Cookie": "root="}

    assert site.request("GET", "/+api", headers=root).result["authstatus"][1] == "root"
    assert site.request("PATCH", "/root", {}, headers=root).status == 200
    assert site.request("PATCH", "/root", {}, headers=root | {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert site.request("PATCH", "/root", {}, headers={"Cookie": "none"}, auth=("root", "")).status == 200
    for _ in range(4):
        broken = site.request("PATCH", "/root", {}, headers={"Cookie": "root=\xff"}, auth=("root", ""))
        assert (broken.status, broken.message) == (401, "the credentials could not be read")
        assert broken.headers["www-authenticate"] == 'Cookie realm="pypi", Basic realm="pypi"'
    for _ in range(7):
        nobody = site.request("PATCH", "/root", {}, headers={"Cookie": "=x"})
        assert (nobody.status, nobody.message) == (401, "no user has such a name: ''")
    assert site.request("GET", "/+api", headers=root).result["authstatus"][1] == "root"
