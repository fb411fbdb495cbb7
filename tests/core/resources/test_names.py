"""Names of users and indices: those that could confuse people, file systems or access lists are refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")
KINDS = {"username": ("/{}", {"password": "correct horse"}, 201), "indexname": ("/root/{}", {}, 200)}

ALLOWED = ["a", "A.b-c_d@e", "0", "_x", "@x", "ümlaut", "名前", "ελλάδα", "x" * 100, "favicon.png", "a..b", "x-"]
FORBIDDEN_CHARACTERS = [
    *" !\"#$%&'()*,:;<=>?[\\]^`{|}~",
    "\u00a0",
    "\u200b",
    "\u202e",
    "\u2060",
    "\ufeff",
    "\u0301",
    "😀",
    "\u00ad",
    "\u115f",
    "\u1160",
    "\ue000",
]
START = ["..", ".x", "-x", "-"]
NOT_NORMAL = ["\ufb01x", "x²", "\uff21x", "\u3164", "\uffa0", "e\u0301x"]
UNREACHABLE = ["+x", "x+y", "a\nb", "a\0b", "a\x7fb", "a/b/c/d"]


def path(form: str, name: str) -> str:
    """Return the address of a name."""
    return form.format(quote(name, safe="@"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALLOWED, ids=ascii)
def test_names_of_letters_digits_and_a_few_signs_are_accepted(shared: Site, kind: str, name: str) -> None:
    """A name has 1 to 100 characters: letters and digits of any script, and ``-_.@``."""
    form, body, status = KINDS[kind]

    created = shared.request("PUT", path(form, name), body, auth=ROOT)

    assert created.status == status
    assert shared.request("GET", path(form, name)).status == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        *(
            pytest.param(f"a{sign}b", "contains characters that aren't allowed", id=ascii(sign))
            for sign in FORBIDDEN_CHARACTERS
        ),
        *(pytest.param(name, "must not start with '.' or '-'", id=name) for name in START),
        *(pytest.param(name, "", id=ascii(name)) for name in NOT_NORMAL),
        pytest.param("x" * 101, "must have 1 to 100 characters, not 101", id="101 characters"),
        pytest.param("x" * 5000, "must have 1 to 100 characters, not 5000", id="5000 characters"),
    ],
)
def test_other_names_are_refused(shared: Site, kind: str, name: str, problem: str) -> None:
    """Any other name is refused with 400; the message shows it in ASCII, and cut if it is long."""
    form, body, _ = KINDS[kind]

    refused = shared.request("PUT", path(form, name), body, auth=ROOT)

    assert refused.status == 400
    assert refused.message.startswith(kind)
    assert problem in refused.message
    assert refused.message.isascii()
    assert len(refused.message) < 800


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("form", ["/{}", "/root/{}", "/{}/dev"])
@pytest.mark.parametrize("name", UNREACHABLE, ids=ascii)
def test_some_names_have_no_address(shared: Site, method: str, form: str, name: str) -> None:
    """No user and no index has a name with a plus sign, a slash or a control character.

    After a slash the address may be that of a project, which PUT cannot create.
    """
    status = shared.request(method, path(form, name), {"password": "x"}, auth=ROOT).status

    assert status == 404 or (status == 405 and "/" in name and method == "PUT")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "lookalike"),
    [("smith", "Smith"), ("straße", "STRASSE"), ("ΣΟΦΟΣ", "σοφος"), ("ΣΟΦΟΣ", "σοφοσ")],
    ids=["case", "sharp s", "final sigma", "sigma"],
)
def test_a_lookalike_is_a_conflict(site: Site, kind: str, name: str, lookalike: str) -> None:
    """A name that equals an existing one after NFKC and case folding is refused; the message names the existing one."""
    form, body, status = KINDS[kind]
    assert site.request("PUT", path(form, name), body, auth=ROOT).status == status

    refused = site.request("PUT", path(form, lookalike), body, auth=ROOT)

    assert refused.status == 409
    assert "looks like the existing" in refused.message
    assert f"{name}'" in refused.message
    assert site.request("GET", path(form, lookalike)).status == 404


@pytest.mark.parametrize("name", ["Root", "ROOT", "\uff52oot"], ids=ascii)
def test_no_name_may_look_like_root(shared: Site, name: str) -> None:
    """No name may look like root either."""
    assert shared.request("PUT", path("/{}", name), {"password": "correct horse"}).status == 409


@pytest.mark.parametrize("name", ["_", "favicon.ico", "robots.txt", "Robots.TXT", "FAVICON.ico"])
def test_addresses_of_others_are_no_users(shared: Site, name: str) -> None:
    """No user has a name that uv, browsers or search engines ask for."""
    refused = shared.request("PUT", f"/{name}", {"password": "correct horse"}, auth=ROOT)

    assert refused.status == 400
    assert "belongs to an address that browsers or tools ask for" in refused.message
