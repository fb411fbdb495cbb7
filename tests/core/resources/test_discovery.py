"""``/``, ``+api``, ``+status`` and ``+openapi``: what a client learns about the server first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.helpers.sites import Serve

import wheelgate.resources.addresses
from wheelgate import hookimpl
from wheelgate.providers import Route, RouteResponse
from wheelgate.testing.site import Site

ROOT = ("root", "")
HERE = "http://packages.example"
FEATURES = [
    "api-tokens",
    "can",
    "project-status",
    "push-no-docs",
    "push-only-docs",
    "push-register-project",
    "server-keyvalue-parsing",
    "whoami",
    "why",
    "yank",
]


def api(site: Site, path: str, auth: tuple[str, str] | None = None, method: str = "GET") -> dict[str, object]:
    """Return the result of ``+api``."""
    answer = site.request(method, path, auth=auth, headers={"Host": "packages.example"})
    assert (answer.status, answer.json["type"]) == (200, "apiconfig")
    result: dict[str, object] = answer.result
    return result


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/+api", "/root/+api", "/nouser/+api"])
def test_api_of_the_server(shared: Site, path: str, method: str) -> None:
    """The server's form names the login and the features, and is the same for every user, even an unknown one."""
    assert api(shared, path, method=method) == {
        "login": f"{HERE}/+login",
        "authstatus": ["noauth", "", []],
        "features": FEATURES,
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_api_of_an_index(shared: Site, fresh: str, method: str) -> None:
    """The index's form adds its addresses; the one for uploads only if the index takes uploads."""
    shared.request("PUT", f"/root/{fresh}", {}, auth=ROOT)
    stage, mirror = (api(shared, f"/root/{name}/+api", method=method) for name in (fresh, "pypi"))

    assert stage["index"] == f"{HERE}/root/{fresh}"
    assert stage["simpleindex"] == f"{HERE}/root/{fresh}/+simple/"
    assert stage["pypisubmit"] == f"{HERE}/root/{fresh}/"
    assert mirror["index"] == f"{HERE}/root/pypi"
    assert mirror["simpleindex"] == f"{HERE}/root/pypi/+simple/"
    assert "pypisubmit" not in mirror


def test_api_of_an_unknown_index(shared: Site) -> None:
    """An index that does not exist has no addresses."""
    missing = shared.request("GET", "/root/none/+api")

    assert (missing.status, missing.message) == (404, "The stage root/none could not be found.")


def test_api_says_whether_the_login_is_valid(site: Site) -> None:
    """``authstatus`` names the user of valid credentials, and is ``noauth`` without them."""
    alice = site.add_user("alice", "correct horse")

    assert api(site, "/+api", alice)["authstatus"] == ["ok", "alice", []]
    assert api(site, "/root/pypi/+api", ("alice", "correct horse"))["authstatus"] == ["ok", "alice", []]
    assert api(site, "/+api", ("alice", "wrong"))["authstatus"] == ["noauth", "", []]
    assert api(site, "/+api", ("alice", alice[1][:-1]))["authstatus"] == ["noauth", "", []]


def test_features_come_from_plugins_too(serve: Serve) -> None:
    """The features of plugins are listed with the server's, sorted and each once."""

    class Feature:
        @hookimpl
        def wheelgate_features(self) -> list[str]:
            return ["zebra", "aardvark"]

    site = serve(extra={"feature": Feature()})

    assert api(site, "/+api")["features"] == ["aardvark", *FEATURES, "zebra"]


def test_the_listing_names_all_users(site: Site) -> None:
    """``GET /`` lists all users with their indices, and follows every change."""
    assert set(site.request("GET", "/").result) == {"root"}

    site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=ROOT)
    listing = site.request("GET", "/")

    assert (listing.status, listing.json["type"]) == (200, "list:userconfig")
    assert {name: set(user["indexes"]) for name, user in listing.result.items()} == {"root": {"pypi"}, "alice": {"dev"}}
    site.request("DELETE", "/alice", auth=ROOT)
    assert set(site.request("GET", "/").result) == {"root"}


def test_the_status_shows_everyone_the_versions(shared: Site) -> None:
    """Callers other than root see the versions, which ``devpi --version`` shows, and nothing about the machine."""
    status = shared.request("GET", "/+status")

    assert (status.status, status.json["type"]) == (200, "status")
    assert set(status.result) == {"versioninfo", "role"}
    versions = status.result["versioninfo"]
    assert versions["wheelgate"] == versions["devpi-server"] == status.headers["x-devpi-server-version"]


def test_the_status_shows_root_the_rest(site: Site) -> None:
    """Root sees plugins, providers and settings, but no secrets."""
    status = site.request("GET", "/+status", auth=ROOT)

    assert status.result["plugins"]["auth_basic"]["state"] == "active"
    known = ["basic", "bearer", "local-groups", "password", "token", "x-devpi-auth"]
    assert status.result["providers"].items() >= dict.fromkeys(known, "ok").items()
    assert status.result["uuid"] == status.headers["x-devpi-uuid"]
    assert str(status.result["serial"]) == status.headers["x-devpi-serial"]
    assert {"host", "port", "outside-url", "database", "workers"} <= set(status.result)
    assert b"swordfish" not in status.content


def test_the_status_shows_blocked_plugins(serve: Serve) -> None:
    """A plugin that is left out is shown as blocked."""
    site = serve(no_plugin=["restrict_modify"])

    assert site.request("GET", "/+status", auth=ROOT).result["plugins"]["restrict_modify"]["state"] == "blocked"


class Reports:
    """A plugin with routes."""

    @hookimpl
    def wheelgate_routes(self) -> list[Route]:
        """Return two methods of one address."""

        def answer(request: object) -> RouteResponse:
            return RouteResponse()

        return [Route(method, "/{name}/{number:int}", answer, public=True) for method in ("GET", "POST")]


@pytest.fixture
def documented(serve: Serve) -> tuple[Site, dict[str, dict[str, object]]]:
    """Return a server with a plugin's routes, and the paths of its OpenAPI document."""
    site = serve(extra={"reports": Reports()})
    document = site.request("GET", "/+openapi").json
    assert document["openapi"] == "3.1.0"
    return site, document["paths"]


def test_the_document_has_every_address(documented: tuple[Site, dict[str, dict[str, object]]]) -> None:
    """The document contains every address of the application and of its plugins."""
    source = Path(wheelgate.resources.addresses.__file__).read_text("utf-8")
    added = set(re.findall(r'^        "(/[^"]*)": ', source, re.MULTILINE))

    assert len(added) > 8
    of_plugins = {path for path in documented[1] if path.startswith("/+x/")}
    assert set(documented[1]) - of_plugins == added
    assert {"/+x/reports/{name}/{number}", "/+x/groups", "/+x/tokens", "/+x/tokens/{id}"} <= of_plugins


def test_the_document_has_every_method(documented: tuple[Site, dict[str, dict[str, object]]]) -> None:
    """For each address the document lists the methods that the server allows, and the parameters of the path."""
    site, paths = documented
    for path, described in paths.items():
        address = re.sub(r"\{\w+\}", "x", re.sub(r"\{number\}", "5", path))
        allowed = site.request("BREW", address).headers["allow"].lower().replace(" ", "").split(",")

        # OpenAPI 3.1 cannot describe PUSH, a method of the incumbent's; POST does the same.
        assert set(described) - {"parameters"} == set(allowed) - {"head", "options", "push"}, path
        parameters: list[dict[str, object]] = described.get("parameters", [])  # type: ignore[assignment]
        in_path = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", path)


def test_the_document_has_the_keys_of_an_index(documented: tuple[Site, dict[str, dict[str, object]]]) -> None:
    """The body of an index has the keys of all index types."""
    put: dict[str, object] = documented[1]["/{user}/{index}"]["put"]  # type: ignore[assignment]
    schema = put["requestBody"]["content"]["application/json"]["schema"]  # type: ignore[index]

    assert schema["properties"]["type"]["enum"] == ["mirror", "stage"]
    assert {"bases", "acl_upload", "mirror_url", "custom_data"} <= set(schema["properties"])
