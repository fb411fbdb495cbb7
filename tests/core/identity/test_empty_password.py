"""The empty password of a new server's root: good on the server's own machine, and nowhere else."""

from __future__ import annotations

import base64
import logging

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
PROXIED = [
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-For": ""},
    {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Host": "localhost"},
    {"x-forwarded-anything": "x"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy.example"},
    {"X-Outside-Url": "http://localhost:3141"},
    {"True-Client-IP": "127.0.0.1"},
    {"Host": "packages.example"},
    {"Host": "localhost.example:3141"},
    {"Host": "192.0.2.1:3141"},
    {"Host": "[2001:db8::1]:3141"},
]
THIS_MACHINE = [
    "localhost",
    "localhost:3141",
    "LOCALHOST.",
    "pypi.localhost:3141",
    "127.0.0.1",
    "127.9.9.9:80",
    "[::1]:3141",
]
ELSEWHERE = ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::", "0.0.0.0", "unix", "localhost.example"]


def log_in(site: Site, headers: dict[str, str], address: str) -> Response:
    """Log in as root with the empty password."""
    return site.request("POST", "/+login", {"user": "root", "password": ""}, headers=headers, address=address)


def by_devpi_header(site: Site, headers: dict[str, str], address: str) -> Response:
    """Change something with the password in the header of the ``devpi`` command."""
    return site.request("PATCH", "/root", {"title": "x"}, auth=ROOT, headers=headers, address=address)


def by_basic_header(site: Site, headers: dict[str, str], address: str) -> Response:
    """Change something with the password in the header of installers."""
    sent = {"Authorization": f"Basic {base64.b64encode(b'root:').decode()}", **headers}
    return site.request("PATCH", "/root", {"title": "x"}, headers=sent, address=address)


WAYS = pytest.mark.parametrize("way", [log_in, by_devpi_header, by_basic_header], ids=["login", "devpi", "basic"])


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server whose root has no password; what one test leaves must not count for the next."""
    return serve_shared()


@WAYS
@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_may_be_root(site: Site, way, address) -> None:  # type: ignore[no-untyped-def]
    """Until root has a password, a program on the same machine is root without one."""
    assert way(site, {}, address).status == 200


@WAYS
@pytest.mark.parametrize("host", THIS_MACHINE)
def test_names_of_this_machine(site: Site, way, host) -> None:  # type: ignore[no-untyped-def]
    """A program on this machine may use any of its loopback names and addresses."""
    assert way(site, {"Host": host}, "127.0.0.1").status == 200


@WAYS
@pytest.mark.parametrize("headers", PROXIED, ids=str)
def test_a_proxy_may_not(site: Site, way, headers) -> None:  # type: ignore[no-untyped-def]
    """A request with a header that proxies add, or for another host, is refused, whatever came before it."""
    assert way(site, {}, "127.0.0.1").status == 200  # what is remembered of this one does not count for the next

    assert way(site, headers, "127.0.0.1").status == 401
    assert way(site, {}, "127.0.0.1").status == 200


@WAYS
@pytest.mark.parametrize("address", ELSEWHERE)
def test_other_machines_may_not(site: Site, way, address) -> None:  # type: ignore[no-untyped-def]
    """A connection from an address that is not loopback is refused, even on a server that listens on loopback."""
    assert way(site, {}, "127.0.0.1").status == 200

    assert way(site, {}, address).status == 401


def test_a_password_works_from_everywhere(serve: Serve) -> None:
    """As soon as root has a password, root logs in through proxies and from other machines."""
    site = serve()
    assert site.request("PATCH", "/root", {"password": "correct horse"}, auth=ROOT).status == 200

    sent = {"user": "root", "password": "correct horse"}
    assert site.request("POST", "/+login", sent, headers={"Via": "1.1 p"}).status == 200
    assert site.request("POST", "/+login", sent, address="192.0.2.1").status == 200


def test_a_login_of_this_machine_works_from_everywhere(serve: Serve) -> None:
    """The token of a login is a secret, so it may come through a proxy."""
    site = serve()
    token = site.login("root", "")

    assert site.request("PATCH", "/root", {"title": "x"}, auth=token, address="192.0.2.1").status == 200


def test_the_log_says_why(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The answer is that of every failed login; the log has the reason and the command."""
    with caplog.at_level(logging.INFO):
        site = serve()
        refused = log_in(site, {"Via": "1.1 p"}, "127.0.0.1")

    assert refused.message == "user 'root' could not be authenticated"
    assert "is good on the server's own machine only, and not through a proxy; set one with" in caplog.text
    assert f"'devpi-server passwd root --serverdir {site.config.serverdir}'" in caplog.text
