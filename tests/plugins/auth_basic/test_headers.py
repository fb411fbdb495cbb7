"""The two headers for credentials: which one counts, and how malformed ones are refused."""

from __future__ import annotations

import base64

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")


def coded(text: str | bytes) -> str:
    """Return text in base64."""
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def basic(text: str | bytes) -> dict[str, str]:
    """Return a Basic header (RFC 7617)."""
    return {"Authorization": f"Basic {coded(text)}"}


def devpi(text: str | bytes) -> dict[str, str]:
    """Return the header that the ``devpi`` command sends."""
    return {"X-Devpi-Auth": coded(text)}


GOOD = "alice:correct horse"
BAD = "alice:wrong"


@pytest.fixture
def alice(shared: Site) -> None:
    """Make sure that there is a user with a password."""
    if shared.request("GET", "/alice").status == 404:
        shared.add_user("alice", "correct horse")
    shared.login("alice", "correct horse")


def authenticated_name(site: Site, headers: dict[str, str]) -> str:
    """Return the name that the server authenticates; empty for anonymous."""
    return str(site.request("GET", "/+api", headers=headers).result["authstatus"][1])


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    ("headers", "name"),
    [
        pytest.param({}, "", id="none"),
        pytest.param(devpi(GOOD), "alice", id="X-Devpi-Auth"),
        pytest.param(basic(GOOD), "alice", id="Basic"),
        pytest.param({"Authorization": f"bAsIc   {coded(GOOD)} "}, "alice", id="another case, more spaces"),
        pytest.param(devpi("root:") | basic(GOOD), "root", id="both"),
        pytest.param(devpi(BAD) | basic("root:"), "", id="the first is wrong"),
        pytest.param({"X-Devpi-Auth": "%%%"} | basic("root:"), "", id="the first is malformed"),
        pytest.param({"X-Devpi-Auth": ""} | basic("root:"), "", id="the first is empty"),
        pytest.param({"Authorization": "Bearer abc"}, "", id="another scheme"),
        pytest.param({"Authorization": "Bearer abc"} | devpi(GOOD), "alice", id="another scheme beside it"),
        pytest.param({"Authorization": "Basic"}, "", id="a scheme without credentials"),
        pytest.param({"Authorization": ""}, "", id="empty"),
    ],
)
def test_which_header_counts(shared: Site, headers: dict[str, str], name: str) -> None:
    """``X-Devpi-Auth`` wins even if it is wrong or malformed: a request never falls back to weaker credentials."""
    assert authenticated_name(shared, headers) == name


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("header", ["X-Devpi-Auth", "Authorization"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("not base64!", "are not base64", id="not base64"),
        pytest.param("YWxpY2U6Y29ycmVjdCBob3JzZQ", "are not base64", id="no padding"),
        pytest.param("YWxp Y2U6eA==", "are not base64", id="a space inside"),
        pytest.param(coded("alice"), "are not of the form name:password", id="no colon"),
        pytest.param(coded(":x"), "are not of the form name:password", id="no name"),
        pytest.param(coded(""), "are not of the form name:password", id="nothing"),
    ],
)
def test_malformed_credentials(shared: Site, header: str, value: str, problem: str) -> None:
    """Malformed credentials do not block public reads; a request that needs a right gets 401 with the reason."""
    extractor = "x-devpi-auth" if header == "X-Devpi-Auth" else "basic"
    headers = {header: value if header == "X-Devpi-Auth" else f"Basic {value}"}

    refused = shared.request("PATCH", "/alice", {"title": "x"}, headers=headers)

    assert (refused.status, refused.message) == (401, f"the credentials in '{extractor}' {problem}")
    assert refused.headers["www-authenticate"] == 'Basic realm="pypi"'
    assert shared.request("GET", "/alice", headers=headers).status == 200
    assert authenticated_name(shared, headers) == ""


@pytest.mark.parametrize("form", [basic, devpi], ids=["Basic", "X-Devpi-Auth"])
@pytest.mark.parametrize(
    "name",
    ["x" * 101, "a\0b", "a\nb", "\x1b[31mx", "\u202ex"],
    ids=["101 characters", "NUL", "newline", "escape", "bidi"],
)
def test_impossible_names(shared: Site, form: object, name: str) -> None:
    """A name that no user can have is not looked up, and not remembered."""
    refused = shared.request("PATCH", "/root", {}, headers=form(f"{name}:x"))  # type: ignore[operator]

    assert (refused.status, refused.message) == (401, f"no user has such a name: {name[:100]!a}")


@pytest.mark.parametrize("form", [basic, devpi], ids=["Basic", "X-Devpi-Auth"])
@pytest.mark.parametrize(
    ("password", "sent"),
    [
        pytest.param("with:colons:", b"with:colons:", id="colons"),
        pytest.param("größe", "größe".encode(), id="UTF-8"),
        pytest.param("größe", "größe".encode("latin-1"), id="Latin-1"),
        pytest.param("é", "e\u0301".encode(), id="decomposed"),
        pytest.param("  ", b"  ", id="spaces"),
    ],
)
def test_passwords_in_headers(shared: Site, fresh: str, form: object, password: str, sent: bytes) -> None:
    """Everything after the first colon is the password, in UTF-8 or, from old browsers, in Latin-1."""
    shared.request("PUT", f"/{fresh}", {"password": password})

    assert authenticated_name(shared, form(f"{fresh}:".encode() + sent)) == fresh  # type: ignore[operator]


def test_long_passwords_are_wrong_passwords(shared: Site, fresh: str) -> None:
    """A password of more than 4096 bytes is wrong, even if its first 4096 bytes are right."""
    shared.request("PUT", f"/{fresh}", {"password": "x" * 4096})

    assert authenticated_name(shared, basic(f"{fresh}:{'x' * 4097}")) == ""
    assert authenticated_name(shared, basic(f"{fresh}:{'x' * 4096}")) == fresh


@pytest.mark.parametrize("form", [basic, devpi], ids=["Basic", "X-Devpi-Auth"])
def test_wrong_passwords_do_not_block_public_reads(site: Site, form: object) -> None:
    """A request with wrong credentials can read what anonymous clients can; other requests get 401."""
    site.add_user("alice", "correct horse")
    headers = form(BAD)  # type: ignore[operator]

    refused = site.request("PUT", "/alice/dev", {}, headers=headers)

    assert (refused.status, refused.message) == (401, "user 'alice' could not be authenticated")
    for path in ("/", "/alice", "/root/pypi", "/+api", "/+status", "/+authcheck"):
        assert site.request("GET", path, headers=headers).status == 200


def test_a_new_password_counts_at_once(site: Site) -> None:
    """The server caches verified passwords for a while, but forgets them when the password changes."""
    site.add_user("alice", "correct horse")
    assert authenticated_name(site, basic(GOOD)) == "alice"

    site.request("PATCH", "/alice", {"password": "new password"}, auth=ROOT)

    assert authenticated_name(site, basic(GOOD)) == ""
    assert authenticated_name(site, basic("alice:new password")) == "alice"
    site.request("DELETE", "/alice", auth=ROOT)
    assert authenticated_name(site, basic("alice:new password")) == ""
