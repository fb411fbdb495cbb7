"""``/+authcheck`` tells a proxy whether to let a request through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wheelgate import Allow, Deny, Principal, Resource, hookimpl
from wheelgate.testing.site import Site

ROOT = ("root", "")
FILE = "+f/ab1/23456789abcde/pkg-1.0.tar.gz"


class Secrets:
    """A policy: only their owners may read indices called ``secret``."""

    @hookimpl
    def wheelgate_check_permission(
        self, principal: Principal, permission: str, resource: Resource
    ) -> Allow | Deny | None:
        """Deny reading to other users."""
        hidden = permission == "index_read" and resource.name == "secret" and principal.name != resource.owner
        return Deny("it is secret") if hidden else None


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server with a public and a secret index."""
    with Site(tmp_path_factory.mktemp("guarded"), extra={"secrets": Secrets()}) as site:
        for name in ("public", "secret"):
            site.request("PUT", f"/root/{name}", {}, auth=ROOT)
        site.add_user("alice")
        yield site


def check(site: Site, uri: str | None, auth: tuple[str, str] | None = None) -> int:
    """Return the status of the check of an address."""
    headers = {} if uri is None else {"X-Original-URI": uri}
    return site.request("GET", "/+authcheck", auth=auth, headers=headers).status


@pytest.mark.parametrize(
    ("uri", "anonymous", "alice", "root"),
    [
        (None, 200, 200, 200),
        ("", 200, 200, 200),
        ("/", 200, 200, 200),
        ("/+login", 200, 200, 200),
        ("/+x/plugin/route", 200, 200, 200),
        ("/root", 200, 200, 200),
        ("/root/public", 200, 200, 200),
        ("/root/public/", 200, 200, 200),
        ("/root/public/+simple/pkg/", 200, 200, 200),
        (f"/root/public/{FILE}", 200, 200, 200),
        (f"https://packages.example/root/public/{FILE}?x=1#y", 200, 200, 200),
        ("/root/new", 200, 200, 200),
        ("/root/new/+simple/", 200, 200, 200),
        (f"/root/new/{FILE}", 403, 403, 403),
        ("/root/new/+e/x", 403, 403, 403),
        ("/root/secret", 401, 200, 200),
        ("/root/secret/+simple/", 401, 200, 200),
        (f"/root/secret/{FILE}", 401, 403, 200),
        (f"HTTP://packages.example/root/secret/{FILE}", 401, 403, 200),
        (f"/root/secre%74/{FILE}?/root/public", 401, 403, 200),
        (f"/root%2Fsecret/{FILE}", 401, 403, 200),
    ],
)
def test_the_check_agrees_with_the_answer(
    guarded: Site, uri: str | None, anonymous: int, alice: int, root: int
) -> None:
    """Requests that the caller may make pass, and so do requests that this server answers with 404."""
    assert check(guarded, uri) == anonymous
    assert check(guarded, uri, ("alice", "correct horse")) == alice
    assert check(guarded, uri, ROOT) == root


@pytest.mark.parametrize(
    "uri",
    [
        f"/root/public/../secret/{FILE}",
        f"/root/public/%2e%2e/secret/{FILE}",
        f"/root/./secret/{FILE}",
        f"//root/secret/{FILE}",
        f"/root//secret/{FILE}",
        f"http://packages.example//root/secret/{FILE}",
        f"/root/secret\t/{FILE}",
        f"/root/secret%00/{FILE}",
        "/..",
    ],
)
def test_an_ambiguous_address_does_not_pass(guarded: Site, uri: str) -> None:
    """An address that is not in its normal form is refused for all callers: it could lead to another index."""
    assert check(guarded, uri, ROOT) == 403


def test_bad_credentials_are_refused_where_a_right_is_needed(guarded: Site) -> None:
    """With expired credentials a caller reads what anonymous callers may read, and gets 401 elsewhere."""
    wrong = ("root", "wgs_gone")

    assert check(guarded, "/root/public", wrong) == 200
    assert check(guarded, "/root/secret", wrong) == 401


def test_the_path_of_the_outside_url_is_not_a_user(tmp_path: Path) -> None:
    """Behind ``https://packages.example/sub``, the check looks at the index behind ``/sub``."""
    url = "https://packages.example/sub"
    with Site(tmp_path / "server", extra={"secrets": Secrets()}, outside_url=url, root_passwd="1234") as site:
        site.request("PUT", "/root/secret", {}, auth=site.login("root", "1234"))

        for uri in (
            "/sub/root/secret/",
            f"/sub/root/secret/{FILE}",
            "https://packages.example/sub/root/secret/+simple/",
        ):
            assert check(site, uri) == 401
